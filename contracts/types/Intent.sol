// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Common } from "./Common.sol";

/// @notice A signed order: the account trades up to `amount` at `price` or better, with whoever takes the other side
///         (docs/protocol.md §9). All numbers have 6 decimals.
/// @param amount Size in payoff units; positive buys, negative sells. Fills of parts add up to at most this
/// @param price Worst price that the account accepts
/// @param fee Share of the referral fee that `solver` gets of the originator's, at most 1
/// @param originator Who brought the order and is credited the referral fee; zero for nobody
/// @param solver Who gets the share `fee` of that
/// @param collateralization Least effective collateral after a fill, as a share of the notional; 0 for none
/// @param common Account, signer, market, nonce, group, expiry
struct Intent {
    int256 amount;
    int256 price;
    uint256 fee;
    address originator;
    address solver;
    uint256 collateralization;
    Common common;
}
