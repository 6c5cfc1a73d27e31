// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Common } from "./Common.sol";

/// @notice A signed wish to cancel `common.nonce`, which anyone may relay to the Verifier (docs/protocol.md §9.6).
/// @param common Account, signer, Verifier, the nonce to cancel, group, expiry
struct NonceCancellation {
    Common common;
}
