// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import { Intent } from "../types/Intent.sol";

interface IVerifier {
    function consume(Intent calldata intent, bytes calldata signature, uint256 size) external;
}
