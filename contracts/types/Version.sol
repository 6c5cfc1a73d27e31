// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What accounts that come late need of a version at which orders settled (mapping V).
/// @dev Written for valid versions with orders, and for versions with fills, which stand even where it is invalid: an
///      order whose version has no valid record was cancelled (§5.5).
///      14 bits say how many settlement fees, of the amount in force when it settled, were charged at it.
library VersionStorage {
    uint256 private constant VALID = 1 << 240;
    uint256 private constant FILLS = 1 << 241;
    uint256 private constant COUNT_SHIFT = 242;

    /// @dev Says that the settlement fees do not divide by the fee in force and stand in a slot of their own.
    uint256 internal constant EXPLICIT = (1 << 14) - 1;

    // | accumulators 240 | valid 1 | fills 1 | settlement fees 14 |
    /// @dev Packs a record; `word` holds the accumulators.
    function pack(uint256 word, bool isValid, bool hasFills, uint256 count) internal pure returns (uint256) {
        return word | (isValid ? VALID : 0) | (hasFills ? FILLS : 0) | count << COUNT_SHIFT;
    }

    /// @dev Whether the version had a price.
    function valid(uint256 word) internal pure returns (bool) {
        return word & VALID != 0;
    }

    /// @dev Whether there were fills.
    function filled(uint256 word) internal pure returns (bool) {
        return word & FILLS != 0;
    }

    /// @dev How many settlement fees were charged, or EXPLICIT.
    function feeCount(uint256 word) internal pure returns (uint256) {
        return word >> COUNT_SHIFT;
    }
}
