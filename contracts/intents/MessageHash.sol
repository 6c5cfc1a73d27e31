// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Common } from "../types/Common.sol";
import { GroupCancellation } from "../types/GroupCancellation.sol";
import { Intent } from "../types/Intent.sol";
import { NonceCancellation } from "../types/NonceCancellation.sol";
import { OperatorUpdate } from "../types/OperatorUpdate.sol";
import { SignerUpdate } from "../types/SignerUpdate.sol";

/// @title Struct hashes of signed messages (EIP-712; docs/protocol.md §9.1)
library MessageHash {
    bytes private constant COMMON_TYPE =
        "Common(address account,address signer,address domain,uint256 nonce,uint256 group,uint256 expiry)";

    bytes32 private constant COMMON = keccak256(COMMON_TYPE);

    // A type's own encoding is followed by those that it refers to.
    bytes32 private constant INTENT = keccak256(
        abi.encodePacked(
            "Intent(int256 amount,int256 price,uint256 fee,address originator,address solver,",
            "uint256 collateralization,Common common)",
            COMMON_TYPE
        )
    );
    bytes32 private constant NONCE_CANCELLATION =
        keccak256(abi.encodePacked("NonceCancellation(Common common)", COMMON_TYPE));
    bytes32 private constant GROUP_CANCELLATION =
        keccak256(abi.encodePacked("GroupCancellation(uint256 group,Common common)", COMMON_TYPE));
    bytes32 private constant OPERATOR_UPDATE =
        keccak256(abi.encodePacked("OperatorUpdate(address operator,bool approved,Common common)", COMMON_TYPE));
    bytes32 private constant SIGNER_UPDATE =
        keccak256(abi.encodePacked("SignerUpdate(address signer,bool approved,Common common)", COMMON_TYPE));

    function hash(Intent calldata self) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                INTENT,
                self.amount,
                self.price,
                self.fee,
                self.originator,
                self.solver,
                self.collateralization,
                hash(self.common)
            )
        );
    }

    function hash(NonceCancellation calldata self) internal pure returns (bytes32) {
        return keccak256(abi.encode(NONCE_CANCELLATION, hash(self.common)));
    }

    function hash(GroupCancellation calldata self) internal pure returns (bytes32) {
        return keccak256(abi.encode(GROUP_CANCELLATION, self.group, hash(self.common)));
    }

    function hash(OperatorUpdate calldata self) internal pure returns (bytes32) {
        return keccak256(abi.encode(OPERATOR_UPDATE, self.operator, self.approved, hash(self.common)));
    }

    function hash(SignerUpdate calldata self) internal pure returns (bytes32) {
        return keccak256(abi.encode(SIGNER_UPDATE, self.signer, self.approved, hash(self.common)));
    }

    function hash(Common calldata self) internal pure returns (bytes32) {
        return keccak256(abi.encode(COMMON, self));
    }
}
