// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Intent } from "./Intent.sol";

/// @notice A cross of two opposite signed intents (docs/protocol.md §9.2).
/// @param a First intent
/// @param signatureA By its signer
/// @param b Second intent, of the other sign
/// @param signatureB By its signer
/// @param amount Size to cross, with the first intent's sign, payoff units with 6 decimals
/// @param price Price that both accept, USD with 6 decimals
struct Cross {
    Intent a;
    bytes signatureA;
    Intent b;
    bytes signatureB;
    int256 amount;
    int256 price;
}
