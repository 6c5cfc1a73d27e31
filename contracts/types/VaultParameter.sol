// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the coordinator of a vault sets (docs/protocol.md §12.2).
/// @param minDeposit Least assets of a request, token units, 96 bits
/// @param depositCap Most assets that the vault takes in, token units, 96 bits; what is there already may grow beyond
/// @param profitShare Coordinator's share of profit above the high-water mark, 6 decimals, at most 0.5
/// @param tolerance Part of its target by which a market may be off before anyone may rebalance, 6 decimals, 0.01 … 0.5
struct VaultParameter {
    uint256 minDeposit;
    uint256 depositCap;
    uint256 profitShare;
    uint256 tolerance;
}
