// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { Side } from "./Side.sol";

/// @notice Sizes of the market's three sides, raw with 6 decimals, each below 2^64 (Orders.checkSize).
struct Book {
    uint256 maker;
    uint256 long;
    uint256 short;
}

/// @notice The settled book, with where the market stands (slot G0).
/// @param sizes Settled sizes
/// @param timestamp Version that the market is settled to; 0 before the first
/// @param head Index of the oldest pending version in the queue
/// @param count Number of pending versions
struct SettledBook {
    Book sizes;
    uint256 timestamp;
    uint256 head;
    uint256 count;
}

using { major, minor, cover, deficit, skew, utilization, ofSide, add, sub } for Book global;

/// @return The larger taker side
function major(Book memory self) pure returns (uint256) {
    return self.long > self.short ? self.long : self.short;
}

/// @return The smaller taker side
function minor(Book memory self) pure returns (uint256) {
    return self.long < self.short ? self.long : self.short;
}

/// @return What the larger taker side can win from
function cover(Book memory self) pure returns (uint256) {
    unchecked {
        return minor(self) + self.maker;
    }
}

/// @return Size of takers without cover (§10.4)
function deficit(Book memory self) pure returns (uint256) {
    return Math.saturatingSub(major(self), cover(self));
}

/// @notice Skew of takers (§6.1), 6 decimals, toward zero.
/// @param virtualTaker Size added to both sides
function skew(Book memory self, uint256 virtualTaker) pure returns (int256) {
    unchecked {
        uint256 denominator = major(self) + virtualTaker;
        if (denominator == 0) return 0;
        // casts: sizes and virtualTaker are below 2^64
        return (int256(self.long) - int256(self.short)) * 1e6 / int256(denominator);
    }
}

/// @notice Utilization of makers (§6.1), rounded down.
/// @param one What is 100 %: its decimals are those of the result
function utilization(Book memory self, uint256 one) pure returns (uint256) {
    unchecked {
        uint256 takers = major(self);
        if (takers == 0) return 0;
        uint256 covered = cover(self);
        return covered == 0 ? one : Math.min(one, takers * one / covered);
    }
}

/// @return The size of a side
function ofSide(Book memory self, Side side) pure returns (uint256) {
    if (side == Side.Maker) return self.maker;
    return side == Side.Long ? self.long : self.short;
}

/// @notice Adds to a side, in memory.
function add(Book memory self, Side side, uint256 size) pure {
    if (side == Side.Maker) self.maker += size;
    else if (side == Side.Long) self.long += size;
    else self.short += size;
}

/// @notice Takes from a side, in memory.
function sub(Book memory self, Side side, uint256 size) pure {
    if (side == Side.Maker) self.maker -= size;
    else if (side == Side.Long) self.long -= size;
    else self.short -= size;
}

/// @title Slots G0 and G1
library BookStorage {
    // | maker 64 | long 64 | short 64 | timestamp 32 | head 16 | count 16 |
    /// @dev Unpacks G0.
    function loadSettled(uint256 word) internal pure returns (SettledBook memory book) {
        loadSizes(book.sizes, word);
        book.timestamp = timestampOf(word);
        book.head = (word >> 224) & type(uint16).max;
        book.count = word >> 240;
    }

    /// @dev Sizes are bounded where orders are placed, timestamps where versions are read, the count where it grows.
    function store(SettledBook memory book) internal pure returns (uint256) {
        return sizesWord(book.sizes) | book.timestamp << 192 | book.head << 224 | book.count << 240;
    }

    // | maker 64 | long 64 | short 64 | newest pending version 32 | 32 unused |
    /// @dev Unpacks the sizes of G0 or G1 into a book.
    function loadSizes(Book memory book, uint256 word) internal pure {
        book.maker = word & type(uint64).max;
        book.long = (word >> 64) & type(uint64).max;
        book.short = (word >> 128) & type(uint64).max;
    }

    /// @dev The settled version of G0, the newest pending version of G1.
    function timestampOf(uint256 word) internal pure returns (uint256) {
        return (word >> 192) & type(uint32).max;
    }

    /// @dev Packs G1: sizes and the newest pending version.
    function store(Book memory book, uint256 newest_) internal pure returns (uint256) {
        return sizesWord(book) | newest_ << 192;
    }

    /// @dev The part that G0 and G1 share.
    function sizesWord(Book memory book) private pure returns (uint256) {
        return book.maker | book.long << 64 | book.short << 128;
    }
}
