// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A market of a vault: two slots.
/// @param market The market
/// @param weight Its part of the assets, relative to the sum of all weights
/// @param leverage Notional by collateral, 6 decimals
/// @param pocket Pocket that is open for the market, 0 for none
/// @param version Version that the pending epoch waits for
/// @param expected Size once the epoch's order has settled, 6 decimals
/// @param charge What the epoch's requests pay of the order's fees, USD with 6 decimals
/// @param exposed Whether the market's price matters to the pending epoch
/// @param awaited Whether the pending epoch waits for the version up to a day
/// @param ordered Whether the epoch placed an order
/// @param leverageBefore Leverage that the pending epoch settles with where it has been changed since, 0 where not; until the next close
/// @param restsUntil Until when nothing is opened at the expense of all, Unix seconds: a day after what was closed or opened so
struct VaultMarket {
    address market;
    uint32 weight;
    uint32 leverage;
    uint32 pocket;
    // of the pending epoch
    uint32 version;
    uint64 expected;
    uint64 charge;
    bool exposed;
    bool awaited;
    bool ordered;
    uint32 leverageBefore;
    // of all epochs
    uint40 restsUntil;
}
