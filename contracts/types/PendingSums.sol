// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Sums over an account's pending orders (slot A.pending); void while it has none.
/// @param opens Sizes that they open, raw with 6 decimals
/// @param closes Sizes that they close, raw with 6 decimals
/// @param units Their fee units, 12 decimals
/// @param settlement Their settlement fees, USD with 6 decimals
struct PendingSums {
    uint256 opens;
    uint256 closes;
    uint256 units;
    uint256 settlement;
}

using { add, sub } for PendingSums global;

/// @notice Adds an order, in memory; the sums are bounded where orders are placed.
function add(PendingSums memory self, uint256 opened, uint256 closed, uint256 units, uint256 settlement) pure {
    unchecked {
        self.opens += opened;
        self.closes += closed;
        self.units += units;
        self.settlement += settlement;
    }
}

/// @notice Takes orders out, in memory; the sums hold them.
function sub(PendingSums memory self, PendingSums memory settled) pure {
    self.opens -= settled.opens;
    self.closes -= settled.closes;
    self.units -= settled.units;
    self.settlement -= settled.settlement;
}

/// @title Slot A.pending
library PendingSumsStorage {
    uint256 internal constant MAX_SETTLEMENT = (1 << 44) - 1;

    // | opens 63 | closes 63 | units 86 | settlement 44 |
    /// @dev Unpacks A.pending into sums.
    function load(PendingSums memory self, uint256 word) internal pure {
        self.opens = word & ((1 << 63) - 1);
        self.closes = (word >> 63) & ((1 << 63) - 1);
        self.units = (word >> 126) & ((1 << 86) - 1);
        self.settlement = word >> 212;
    }

    /// @dev Opens and closes are below 2^63 each and rates below 2^41 (§6.1), so units are below 2^86;
    ///      settlement fees are bounded where orders are placed.
    function store(PendingSums memory self) internal pure returns (uint256) {
        return self.opens | self.closes << 63 | self.units << 126 | self.settlement << 212;
    }
}
