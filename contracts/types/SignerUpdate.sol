// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Common } from "./Common.sol";

/// @notice A signed approval of a signer of intents, or its end, which anyone may relay to the MarketFactory
///         (docs/protocol.md §9.6).
/// @param signer Who may sign intents for the account
/// @param approved Whether it may from now on
/// @param common Account, which is the signer too, MarketFactory, a nonce that the message uses up, group, expiry
struct SignerUpdate {
    address signer;
    bool approved;
    Common common;
}
