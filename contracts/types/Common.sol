// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What every signed message carries (docs/protocol.md §9.1): for whom, by whom, where and until when it counts.
/// @param account Whose message it is: whose position, nonces, groups or approvals it changes
/// @param signer Who signed: the account itself, or a signer that it has approved
/// @param domain The only contract that may consume it: a market, the Verifier or the MarketFactory
/// @param nonce Number by which the account can cancel it; any number, several intents may share one
/// @param group Number by which the account can cancel many messages at once; 0 is a group like any other
/// @param expiry First second at which it no longer counts, Unix time
struct Common {
    address account;
    address signer;
    address domain;
    uint256 nonce;
    uint256 group;
    uint256 expiry;
}
