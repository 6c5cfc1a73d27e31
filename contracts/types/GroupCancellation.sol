// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Common } from "./Common.sol";

/// @notice A signed wish to cancel a group, which anyone may relay to the Verifier (docs/protocol.md §9.6).
/// @param group The group to cancel
/// @param common Account, signer, Verifier, a nonce that the message uses up, the message's own group, expiry
struct GroupCancellation {
    uint256 group;
    Common common;
}
