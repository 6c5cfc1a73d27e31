// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What was in a stuck market when an epoch settled without it (docs/protocol.md §12.3): those who leave
///         meanwhile keep their part of it.
/// @param market The market
/// @param resolved Whether the market has returned what was in it
/// @param redeemed Shares that have left since and have a part
/// @param debt What entering deposits have in it, token units: they wait
/// @param payout What those who left get together, token units
struct Pocket {
    address market;
    bool resolved;
    uint128 redeemed;
    uint128 debt;
    uint128 payout;
}
