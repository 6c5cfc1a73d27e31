// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { IMarket } from "../interfaces/IMarket.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { VaultBase } from "./VaultBase.sol";
import { VaultClosing } from "./VaultClosing.sol";
import { VaultStorage, vaultStorage } from "./VaultStorage.sol";

/// @title VaultEpochs: all that calls markets, over the storage of a Vault, which delegates to it
contract VaultEpochs is VaultClosing {
    using SafeERC20 for IERC20;

    /// @param marketFactory_ Registry that markets come from
    constructor(address marketFactory_) VaultBase(marketFactory_) { }

    /// @notice See IVault.unregister.
    function unregister(address market) external nonReentrant {
        VaultStorage storage $ = vaultStorage();
        if (msg.sender != $.coordinator) revert NotCoordinator(msg.sender);
        if ($.pending != 0) revert EpochPending($.pending);
        uint256 last = $.markets.length;
        uint256 index = 0;
        while (index < last && $.markets[index].market != market) ++index;
        if (index == last) revert NotRegistered(market);
        VaultMarket memory config = $.markets[index];
        IMarket(market).settle(address(this));
        if (
            (config.weight | config.pocket) != 0 || IMarket(market).pendingCounts(address(this)) != 0
                || IMarket(market).positions(address(this)).maker.raw() != 0
        ) revert MarketInUse(market);
        int256 collateral = IMarket(market).collateral(address(this)).raw();
        if (collateral > 0 && !update($, market, 0, -collateral)) revert MarketInUse(market);

        if (index != --last) $.markets[index] = $.markets[last];
        $.markets.pop();
        IERC20($.asset).forceApprove(market, 0);
        emit MarketRemoved(market);
    }
}
