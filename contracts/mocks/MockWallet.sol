// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title MockWallet
/// @notice A contract wallet of one key, which signs by ERC-1271 and can call anything.
contract MockWallet is IERC1271 {
    /// @notice Whose key signs for the wallet.
    address public immutable owner;

    /// @notice The caller is not the owner.
    error NotOwner(address caller);

    /// @param owner_ whose key signs for the wallet
    constructor(address owner_) {
        owner = owner_;
    }

    /// @notice Calls another contract for the owner.
    /// @param target which contract
    /// @param data selector and arguments
    function execute(address target, bytes calldata data) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        Address.functionCall(target, data);
    }

    /// @inheritdoc IERC1271
    /// @dev The signature is the owner's with one more byte, as wallets have formats of their own.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(hash, signature[:signature.length - 1]);
        return recovered == owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
