// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import { BitMaps } from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { IVerifier } from "../interfaces/IVerifier.sol";
import { Common } from "../types/Common.sol";
import { GroupCancellation } from "../types/GroupCancellation.sol";
import { Intent } from "../types/Intent.sol";
import { NonceCancellation } from "../types/NonceCancellation.sol";
import { OperatorUpdate } from "../types/OperatorUpdate.sol";
import { SignerUpdate } from "../types/SignerUpdate.sol";
import { MessageHash } from "./MessageHash.sol";

/// @title Verifier
/// @notice See IVerifier.
contract Verifier is IVerifier, EIP712 {
    using BitMaps for BitMaps.BitMap;
    using MessageHash for Intent;
    using MessageHash for NonceCancellation;
    using MessageHash for GroupCancellation;
    using MessageHash for OperatorUpdate;
    using MessageHash for SignerUpdate;

    /// @dev A fill is at least this fraction of its intent (§9.2), so that nobody can wear an intent down by dust.
    uint256 private constant PARTS = 10;

    /// @inheritdoc IVerifier
    address public immutable factory;

    /// @inheritdoc IVerifier
    mapping(bytes32 intentHash => uint256) public filled;

    /// @dev 256 nonces share a slot: the next nonce of an account that counts up costs 5,000 gas to cancel, not 22,100.
    mapping(address account => BitMaps.BitMap) private nonces;
    mapping(address account => BitMaps.BitMap) private groups;

    /// @param factory_ MarketFactory, which knows the signers of accounts
    constructor(address factory_) EIP712("Perennial", "1") {
        factory = factory_;
    }

    // -- Intents -----------------------------------------------------------------------------------------------------

    /// @inheritdoc IVerifier
    function consume(Intent calldata intent, bytes calldata signature, uint256 size) external {
        if (intent.amount == 0 || size == 0) revert ZeroAmount();
        if (intent.fee > 1e6) revert SolverFeeTooHigh(intent.fee);
        bytes32 digest = verify(intent.common, intent.hash(), signature, msg.sender);

        uint256 amount = SignedMath.abs(intent.amount);
        uint256 before = filled[digest];
        uint256 left = amount - before;
        if (size > left) revert OverFilled(digest, size, left);
        uint256 minimum = Math.ceilDiv(amount, PARTS);
        if (size < minimum && size != left) revert FillTooSmall(size, Math.min(minimum, left));
        filled[digest] = before + size;
        emit IntentConsumed(digest, intent.common.account, size, left - size);
    }

    /// @inheritdoc IVerifier
    function remaining(Intent calldata intent) external view returns (uint256) {
        Common calldata common = intent.common;
        if (
            block.timestamp >= common.expiry || nonceCancelled(common.account, common.nonce)
                || groupCancelled(common.account, common.group)
        ) return 0;
        return SignedMath.abs(intent.amount) - filled[hash(intent)];
    }

    /// @inheritdoc IVerifier
    function hash(Intent calldata intent) public view returns (bytes32) {
        return _hashTypedDataV4(intent.hash());
    }

    // -- Cancelling --------------------------------------------------------------------------------------------------

    /// @inheritdoc IVerifier
    function cancelNonce(uint256 nonce) external {
        setNonce(msg.sender, nonce);
    }

    /// @inheritdoc IVerifier
    function cancelGroup(uint256 group) external {
        setGroup(msg.sender, group);
    }

    /// @inheritdoc IVerifier
    function cancelNonceOf(address account, uint256 nonce) external {
        authorise(account, msg.sender);
        setNonce(account, nonce);
    }

    /// @inheritdoc IVerifier
    function cancelGroupOf(address account, uint256 group) external {
        authorise(account, msg.sender);
        setGroup(account, group);
    }

    /// @inheritdoc IVerifier
    function cancelNonceWithSignature(NonceCancellation calldata cancellation, bytes calldata signature) external {
        verify(cancellation.common, cancellation.hash(), signature, address(this));
        setNonce(cancellation.common.account, cancellation.common.nonce);
    }

    /// @inheritdoc IVerifier
    function cancelGroupWithSignature(GroupCancellation calldata cancellation, bytes calldata signature) external {
        Common calldata common = cancellation.common;
        verify(common, cancellation.hash(), signature, address(this));
        setNonce(common.account, common.nonce);
        setGroup(common.account, cancellation.group);
    }

    /// @inheritdoc IVerifier
    function nonceCancelled(address account, uint256 nonce) public view returns (bool) {
        return nonces[account].get(nonce);
    }

    /// @inheritdoc IVerifier
    function groupCancelled(address account, uint256 group) public view returns (bool) {
        return groups[account].get(group);
    }

    // -- Approvals ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IVerifier
    function consumeOperatorUpdate(OperatorUpdate calldata update, bytes calldata signature) external {
        consumeApproval(update.common, update.hash(), signature);
    }

    /// @inheritdoc IVerifier
    function consumeSignerUpdate(SignerUpdate calldata update, bytes calldata signature) external {
        consumeApproval(update.common, update.hash(), signature);
    }

    /// @dev A signer must not be able to make itself, or anyone, an operator: the account alone approves (§9.6).
    function consumeApproval(Common calldata common, bytes32 structHash, bytes calldata signature) private {
        if (msg.sender != factory) revert NotMarketFactory(msg.sender);
        if (common.signer != common.account) revert SignerNotAuthorised(common.account, common.signer);
        verify(common, structHash, signature, msg.sender);
        setNonce(common.account, common.nonce);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev All that is checked of any message.
    /// @param structHash Hash of the message, which `common` is part of
    /// @param consumer Contract that consumes it
    /// @return digest What was signed
    function verify(Common calldata common, bytes32 structHash, bytes calldata signature, address consumer)
        private
        view
        returns (bytes32 digest)
    {
        (address account, address signer) = (common.account, common.signer);
        if (common.domain != consumer) revert WrongDomain(common.domain, consumer);
        if (block.timestamp >= common.expiry) revert MessageExpired(common.expiry, block.timestamp);
        if (nonceCancelled(account, common.nonce)) revert NonceAlreadyCancelled(account, common.nonce);
        if (groupCancelled(account, common.group)) revert GroupAlreadyCancelled(account, common.group);
        authorise(account, signer);
        digest = _hashTypedDataV4(structHash);
        checkSignature(signer, digest, signature);
    }

    /// @dev The account may, and whom it has approved.
    function authorise(address account, address signer) private view {
        if (signer != account && !IMarketFactory(factory).signers(account, signer)) {
            revert SignerNotAuthorised(account, signer);
        }
    }

    /// @dev A key's signature is tried first: it spares keys the look whether their address has code, and lets those work
    ///      that delegate to code (EIP-7702). What a contract wallet takes as a signature is its own affair, so its shape
    ///      is judged only where there is no code.
    function checkSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError failure, bytes32 s) = ECDSA.tryRecoverCalldata(digest, signature);
        // Address zero has no key; recovery gives it only together with a failure.
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (signer.code.length == 0) {
            if (failure == ECDSA.RecoverError.InvalidSignatureS) revert MalleableSignature(s);
            revert WrongSignature(signer, digest);
        }
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert WrongSignature(signer, digest);
        }
    }

    function setNonce(address account, uint256 nonce) private {
        nonces[account].set(nonce);
        emit NonceCancelled(account, nonce);
    }

    function setGroup(address account, uint256 group) private {
        groups[account].set(group);
        emit GroupCancelled(account, group);
    }
}
