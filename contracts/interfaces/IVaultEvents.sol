// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { VaultParameter } from "../types/VaultParameter.sol";

/// @title What a vault tells indexers, beside the events of ERC-20, ERC-4626 and ERC-7540 (assets in token units)
interface IVaultEvents {
    /// @notice An epoch was closed: its requests are fixed.
    /// @param epoch Its id
    /// @param deposits Assets that enter
    /// @param redeems Shares that leave
    /// @param rebalanced Whether it was closed to rebalance
    event EpochClosed(uint256 indexed epoch, uint256 deposits, uint256 redeems, bool rebalanced);

    /// @notice The vault ordered in a market, or moved collateral.
    /// @param epoch Epoch that was closed
    /// @param market Market
    /// @param version Version that the order settles at
    /// @param delta Change of maker size, 6 decimals
    /// @param collateral USD in (positive) or out, 6 decimals
    /// @param charge What the epoch's requests pay of the order's fees, USD with 6 decimals
    event Ordered(
        uint256 indexed epoch, address indexed market, uint256 version, int256 delta, int256 collateral, uint256 charge
    );

    /// @notice A market did not accept what the vault wanted, and nothing happened there.
    /// @param market Market
    /// @param reason What it reverted with
    event OrderRefused(address indexed market, bytes reason);

    /// @notice An epoch has settled: its requests can be claimed.
    /// @param epoch Its id
    /// @param assets Assets of all shares, and one
    /// @param shares Shares, and the virtual ones: `assets / shares` was the price
    /// @param minted Shares for deposits; 0 where they wait
    /// @param paid Assets for redemptions
    /// @param unfilled Shares of redemptions that are given back
    event EpochSettled(
        uint256 indexed epoch, uint256 assets, uint256 shares, uint256 minted, uint256 paid, uint256 unfilled
    );

    /// @notice The coordinator earned its share of profit above the high-water mark.
    /// @param coordinator Who
    /// @param assets Worth
    /// @param shares Minted for it
    event ProfitShared(address indexed coordinator, uint256 assets, uint256 shares);

    /// @notice An epoch settled without a market: those who leave keep their part of it.
    /// @param pocket Id
    /// @param market The stuck market
    /// @param debt What entering deposits have in it
    event PocketOpened(uint256 indexed pocket, address indexed market, uint256 debt);

    /// @notice The market is back, and the part of those who left is set aside.
    /// @param pocket Id
    /// @param market The market
    /// @param payout What they get together
    event PocketResolved(uint256 indexed pocket, address indexed market, uint256 payout);

    /// @notice A deposit was taken back before its epoch was closed.
    /// @param controller Whose request
    /// @param receiver Who got the tokens
    /// @param requestId Epoch
    /// @param assets How much
    event DepositRecalled(
        address indexed controller, address indexed receiver, uint256 indexed requestId, uint256 assets
    );

    /// @notice A part of what a stuck market returned was paid.
    /// @param pocket Id
    /// @param controller Whose part
    /// @param receiver Who got the tokens
    /// @param assets How much
    event Returned(uint256 indexed pocket, address indexed controller, address receiver, uint256 assets);

    /// @notice A market was registered, or its weight or leverage changed.
    /// @param market The market
    /// @param weight Part of the assets, relative to the sum of weights
    /// @param leverage Notional by collateral, 6 decimals
    event MarketUpdated(address indexed market, uint256 weight, uint256 leverage);

    /// @notice A market was removed.
    /// @param market The market
    event MarketRemoved(address indexed market);

    /// @notice Parameters changed.
    /// @param parameter New values
    event VaultParameterUpdated(VaultParameter parameter);

    /// @notice The vault's coordination was handed over.
    /// @param coordinator New coordinator
    event VaultCoordinatorUpdated(address indexed coordinator);
}
