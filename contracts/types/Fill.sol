// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Intent } from "./Intent.sol";

/// @notice A fill of a signed intent (docs/protocol.md §9.2).
/// @param intent What was signed
/// @param signature By the intent's signer
/// @param amount Size to fill, with the intent's sign, payoff units with 6 decimals
/// @param price Price agreed on, the intent's or better for its signer, USD with 6 decimals
/// @param account Account that takes the other side: the caller's, or one that the caller operates
struct Fill {
    Intent intent;
    bytes signature;
    int256 amount;
    int256 price;
    address account;
}
