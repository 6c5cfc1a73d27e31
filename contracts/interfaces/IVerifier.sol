// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { GroupCancellation } from "../types/GroupCancellation.sol";
import { Intent } from "../types/Intent.sol";
import { NonceCancellation } from "../types/NonceCancellation.sol";
import { OperatorUpdate } from "../types/OperatorUpdate.sol";
import { SignerUpdate } from "../types/SignerUpdate.sol";

/// @title Verifier: says whether a signed message counts, and how much of an intent is left
/// @notice EIP-712 messages of the domain "Perennial", version "1", this chain, this contract (docs/protocol.md §9.1).
///         A key signs the message's hash; a contract wallet answers by ERC-1271. A key whose address runs code (EIP-7702)
///         may do either. Cancelling works while the protocol is paused: it can only make messages worthless.
interface IVerifier {
    // -- Events ------------------------------------------------------------------------------------------------------

    /// @notice A part of an intent was used up by a fill or cross in its market.
    /// @param hash EIP-712 digest of the intent
    /// @param account Whose intent
    /// @param size Size of the fill, 6 decimals
    /// @param remaining What can still be filled, 6 decimals
    event IntentConsumed(bytes32 indexed hash, address indexed account, uint256 size, uint256 remaining);

    /// @notice A nonce was cancelled: no intent with it can be filled any more.
    /// @param account Whose
    /// @param nonce The nonce
    event NonceCancelled(address indexed account, uint256 indexed nonce);

    /// @notice Messages of the account in this group no longer count.
    /// @param account Whose messages
    /// @param group Their group
    event GroupCancelled(address indexed account, uint256 indexed group);

    // -- Errors ------------------------------------------------------------------------------------------------------

    /// @notice The message has expired.
    /// @param expiry First second at which it no longer counts
    /// @param timestamp Time of the block
    error MessageExpired(uint256 expiry, uint256 timestamp);

    /// @notice The nonce was cancelled or, for other messages than intents, used up: also what a replay meets.
    error NonceAlreadyCancelled(address account, uint256 nonce);

    /// @notice The group was cancelled.
    error GroupAlreadyCancelled(address account, uint256 group);

    /// @notice The message is for another contract.
    /// @param domain Contract that may consume it
    /// @param consumer Contract that would
    error WrongDomain(address domain, address consumer);

    /// @notice The signer may not sign this for the account: it is not approved, or only the account itself may.
    error SignerNotAuthorised(address account, address signer);

    /// @notice The signature is not the signer's, or not for this message, chain and Verifier.
    /// @param signer Who should have signed
    /// @param hash What should have been signed
    error WrongSignature(address signer, bytes32 hash);

    /// @notice The signature is the mirror image of another one that says the same (its `s` is in the upper half).
    error MalleableSignature(bytes32 s);

    /// @notice More would be filled than was signed for.
    /// @param hash The intent's hash
    /// @param size Size to fill, 6 decimals
    /// @param remaining Size that is left, 6 decimals
    error OverFilled(bytes32 hash, uint256 size, uint256 remaining);

    /// @notice The fill is less than a tenth of the intent, and not all that remains.
    /// @param size Size to fill, 6 decimals
    /// @param minimum Least size, 6 decimals
    error FillTooSmall(uint256 size, uint256 minimum);

    /// @notice The intent, or the part of it to be filled, is of size 0.
    error ZeroAmount();

    /// @notice The intent gives its solver more than all of the referral fee.
    /// @param fee Share, 6 decimals
    error SolverFeeTooHigh(uint256 fee);

    /// @notice The caller is not the MarketFactory.
    error NotMarketFactory(address caller);

    // -- Intents -----------------------------------------------------------------------------------------------------

    /// @notice Checks an intent and its signature, and takes `size` off what remains of it (§9.2, §9.5).
    /// @dev Only the contract in the intent's domain may call. Reverts with WrongDomain, MessageExpired, ZeroAmount,
    ///      SolverFeeTooHigh, NonceAlreadyCancelled, GroupAlreadyCancelled, SignerNotAuthorised, MalleableSignature,
    ///      WrongSignature, OverFilled, FillTooSmall.
    /// @param intent The intent
    /// @param signature Of its signer: 65 bytes (r, s, v) of a key, or whatever the contract wallet takes
    /// @param size Size to fill, whatever its sign, 6 decimals
    function consume(Intent calldata intent, bytes calldata signature, uint256 size) external;

    /// @notice What can still be filled of an intent; its signature, signer and market are not looked at.
    /// @param intent The intent
    /// @return Size with 6 decimals; 0 where the intent has expired or its nonce or group was cancelled
    function remaining(Intent calldata intent) external view returns (uint256);

    /// @param intent The intent
    /// @return Hash that the signer of an intent signs (EIP-712), and by which fills of it are counted
    function hash(Intent calldata intent) external view returns (bytes32);

    /// @param intentHash What `hash` gives
    /// @return Size filled so far, 6 decimals
    function filled(bytes32 intentHash) external view returns (uint256);

    // -- Cancelling (§9.6) -------------------------------------------------------------------------------------------

    /// @notice Cancels the caller's messages with this nonce for good. What was filled stays filled.
    /// @param nonce Any number, whether a message has it or not
    function cancelNonce(uint256 nonce) external;

    /// @notice Cancels the caller's messages in this group for good. What was filled stays filled.
    /// @param group Any number, whether a message is in it or not
    function cancelGroup(uint256 group) external;

    /// @notice As cancelNonce, for an account that the caller is, or is an approved signer of.
    /// @dev Reverts with SignerNotAuthorised.
    /// @param account Whose messages
    /// @param nonce Any number, whether a message has it or not
    function cancelNonceOf(address account, uint256 nonce) external;

    /// @notice As cancelGroup, for an account that the caller is, or is an approved signer of.
    /// @dev Reverts with SignerNotAuthorised.
    /// @param account Whose messages
    /// @param group Any number, whether a message is in it or not
    function cancelGroupOf(address account, uint256 group) external;

    /// @notice Cancels a nonce for whoever signed for it. Anyone may relay; the domain is this contract.
    /// @dev Reverts with WrongDomain, MessageExpired, NonceAlreadyCancelled, GroupAlreadyCancelled, SignerNotAuthorised,
    ///      MalleableSignature, WrongSignature.
    /// @param cancellation Its own nonce is the one to cancel
    /// @param signature Of the account or an approved signer
    function cancelNonceWithSignature(NonceCancellation calldata cancellation, bytes calldata signature) external;

    /// @notice Cancels a group for whoever signed for it, and uses up the message's nonce. Anyone may relay; the domain is
    ///         this contract.
    /// @dev Reverts as cancelNonceWithSignature does.
    /// @param cancellation The group to cancel
    /// @param signature Of the account or an approved signer
    function cancelGroupWithSignature(GroupCancellation calldata cancellation, bytes calldata signature) external;

    /// @param account Whose messages
    /// @param nonce Their nonce
    /// @return Whether messages of the account with this nonce no longer count
    function nonceCancelled(address account, uint256 nonce) external view returns (bool);

    /// @param account Whose messages
    /// @param group Their group
    /// @return Whether messages of the account in this group no longer count
    function groupCancelled(address account, uint256 group) external view returns (bool);

    // -- Approvals (§9.6) --------------------------------------------------------------------------------------------

    /// @notice Checks an approval that the account itself has signed, and uses up its nonce. MarketFactory only, which is
    ///         the domain.
    /// @dev Reverts with NotMarketFactory, and as cancelNonceWithSignature does.
    /// @param update The approval
    /// @param signature Of the account
    function consumeOperatorUpdate(OperatorUpdate calldata update, bytes calldata signature) external;

    /// @notice Checks an approval that the account itself has signed, and uses up its nonce. MarketFactory only, which is
    ///         the domain.
    /// @dev Reverts with NotMarketFactory, and as cancelNonceWithSignature does.
    /// @param update The approval
    /// @param signature Of the account
    function consumeSignerUpdate(SignerUpdate calldata update, bytes calldata signature) external;

    /// @return MarketFactory, which knows the signers of accounts
    function factory() external view returns (address);
}
