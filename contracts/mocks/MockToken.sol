// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title MockToken
/// @notice A token for tests and local networks: any number of decimals, anyone may mint.
contract MockToken is ERC20Permit {
    uint8 private immutable _decimals;

    /// @param name_ the token's name, also the name of its EIP-712 domain
    /// @param symbol_ the token's symbol
    /// @param decimals_ digits after the point of one whole token
    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) ERC20Permit(name_) {
        _decimals = decimals_;
    }

    /// @notice Creates `amount` for `account`; anyone may call.
    /// @param account who receives
    /// @param amount in the token's smallest unit
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    /// @notice Digits after the point of one whole token.
    /// @return the value given at deployment
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
