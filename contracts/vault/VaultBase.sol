// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IVaultErrors } from "../interfaces/IVaultErrors.sol";
import { IVaultEvents } from "../interfaces/IVaultEvents.sol";
import { Pocket } from "../types/Pocket.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { VaultStorage } from "./VaultStorage.sol";

/// @title What Vault and VaultEpochs share: shares, lock, factories
/// @dev Both run over one storage. That of the shares is OpenZeppelin's and comes first in both.
abstract contract VaultBase is ERC20, ReentrancyGuardTransient, IVaultErrors, IVaultEvents {
    using Math for uint256;

    /// @dev Shares that nobody has, beside one unit of assets that nobody has: the price of a share begins there.
    uint256 internal constant VIRTUAL = 1e6;

    /// @notice Registry that markets come from.
    address public immutable marketFactory;

    /// @param marketFactory_ Registry that markets come from
    constructor(address marketFactory_) ERC20("", "") {
        marketFactory = marketFactory_;
    }

    /// @dev What the pool has in a market as last settled, closed deposits included, token units: without the part of
    ///      those who left it behind.
    /// @param collateral USD with 6 decimals
    function live(VaultStorage storage $, VaultMarket memory config, uint256 collateral)
        internal
        view
        returns (uint256)
    {
        uint256 assets = collateral * $.scale;
        if (config.pocket == 0) return assets;
        Pocket storage pocket = $.pockets[config.pocket];
        // What deposits on their way have in it is not shared with those who left.
        uint256 debt = Math.min(pocket.debt, assets);
        uint256 shares = totalSupply() + VIRTUAL;
        return debt + (assets - debt).mulDiv(shares, shares + pocket.redeemed);
    }
}
