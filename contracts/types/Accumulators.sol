// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Side } from "./Side.sol";

/// @notice What one unit of each side has gained since the market began, USD with 12 decimals (docs/protocol.md §7).
struct Accumulators {
    int256 maker;
    int256 long;
    int256 short;
}

/// @title Slot G2, and the first 240 bits of a version's record
library AccumulatorStorage {
    uint256 internal constant MASK = (1 << 80) - 1;

    /// @dev Bound of the bits.
    int256 internal constant MAX = (1 << 79) - 1;

    /// @dev Bound of what funding, interest and fees may fill: it leaves PnL room for any move of a price (§1.6).
    int256 internal constant MAX_DISTRIBUTED = (1 << 78) - 1;

    // | maker 80 | long 80 | short 80 | 16 for others |
    /// @dev Unpacks the three.
    function load(uint256 word) internal pure returns (Accumulators memory self) {
        self.maker = extract(word, 0);
        self.long = extract(word, 80);
        self.short = extract(word, 160);
    }

    /// @dev Packs the three.
    function store(Accumulators memory self) internal pure returns (uint256) {
        return insert(self.maker, 0) | insert(self.long, 80) | insert(self.short, 160);
    }

    /// @dev The accumulator of a side alone; 0 for none.
    function ofSide(uint256 word, Side side) internal pure returns (int256) {
        unchecked {
            return side == Side.None ? int256(0) : extract(word, (uint256(side) - 1) * 80);
        }
    }

    /// @dev Whether an accumulator is within ±bound; -2^79 is left out of its 80 bits, so that negation always fits as well.
    function fits(int256 value, int256 bound) internal pure returns (bool) {
        return value <= bound && value >= -bound;
    }

    /// @dev The accumulator at an offset, its sign extended.
    function extract(uint256 word, uint256 offset) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := signextend(9, shr(offset, word))
        }
    }

    /// @dev An accumulator in its place.
    function insert(int256 value, uint256 offset) internal pure returns (uint256) {
        // casts: two's complement, cut to its 80 bits
        return (uint256(value) & MASK) << offset;
    }
}
