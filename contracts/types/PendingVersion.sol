// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Book } from "./Book.sol";
import { Side } from "./Side.sol";

/// @notice A version of the market that waits for its price, in the queue (slots P.a, P.b, P.c).
/// @param timestamp The version
/// @param maker Net change of maker size by orders, raw with 6 decimals
/// @param long Net change of long size by orders, raw with 6 decimals
/// @param short Net change of short size by orders, raw with 6 decimals
/// @param units Fee units: size times rate, 12 decimals (§6.1)
/// @param referralUnits Part of them that referrers get, 12 decimals (§6.3)
/// @param settlement Settlement fees, USD with 6 decimals
/// @param hasOrders Whether there are orders: without, P.b means nothing
/// @param hasFills Whether there are fills of intents: without, P.c means nothing
/// @param exchanged Change of long and of short size alike by fills, raw with 6 decimals: what one side of a fill gains in
///        net size the other loses
/// @param fillFees Position fees that fills have paid, USD with 6 decimals
struct PendingVersion {
    uint256 timestamp;
    int256 maker;
    int256 long;
    int256 short;
    uint256 units;
    uint256 referralUnits;
    uint256 settlement;
    bool hasOrders;
    bool hasFills;
    int256 exchanged;
    uint256 fillFees;
}

using { change, applyTo, revertFrom, applyFillsTo } for PendingVersion global;

/// @notice Adds an order's change of a side, in memory.
function change(PendingVersion memory self, Side side, int256 delta) pure {
    unchecked {
        if (side == Side.Maker) self.maker += delta;
        else if (side == Side.Long) self.long += delta;
        else self.short += delta;
    }
}

/// @notice Carries the orders out on a book, in memory.
function applyTo(PendingVersion memory self, Book memory book) pure {
    unchecked {
        // casts: sizes stay in [0, 2^64): closes are bounded by settled sizes
        book.maker = uint256(int256(book.maker) + self.maker);
        book.long = uint256(int256(book.long) + self.long);
        book.short = uint256(int256(book.short) + self.short);
    }
}

/// @notice Takes the orders back from a book that has them already, in memory.
function revertFrom(PendingVersion memory self, Book memory book) pure {
    unchecked {
        // casts: as above
        book.maker = uint256(int256(book.maker) - self.maker);
        book.long = uint256(int256(book.long) - self.long);
        book.short = uint256(int256(book.short) - self.short);
    }
}

/// @notice Carries the fills out on a book, in memory. They stand, whatever becomes of the version (§5.5).
function applyFillsTo(PendingVersion memory self, Book memory book) pure {
    unchecked {
        // casts: as above
        book.long = uint256(int256(book.long) + self.exchanged);
        book.short = uint256(int256(book.short) + self.exchanged);
    }
}

/// @title Slots P.a, P.b and P.c
library PendingVersionStorage {
    uint256 private constant DELTA = (1 << 72) - 1;
    uint256 private constant UNITS = (1 << 88) - 1;
    uint256 private constant HAS_ORDERS = 1 << 248;
    uint256 private constant HAS_FILLS = 1 << 249;

    // P.a | timestamp 32 | maker 72 signed | long 72 signed | short 72 signed | orders 1 | fills 1 | 6 unused |
    /// @dev Unpacks P.a into a version.
    function loadSizes(PendingVersion memory self, uint256 a) internal pure {
        self.timestamp = timestampOf(a);
        self.maker = extract(a, 32);
        self.long = extract(a, 104);
        self.short = extract(a, 176);
        self.hasOrders = a & HAS_ORDERS != 0;
        self.hasFills = a & HAS_FILLS != 0;
    }

    // P.b | units 88 | referral units 88 | settlement 80 |
    /// @dev Unpacks P.b into a version.
    function loadUnits(PendingVersion memory self, uint256 b) internal pure {
        self.units = b & UNITS;
        self.referralUnits = (b >> 88) & UNITS;
        self.settlement = b >> 176;
    }

    // P.c | exchanged 72 signed | fees 128 | 56 unused |
    /// @dev Unpacks P.c into a version.
    function loadFills(PendingVersion memory self, uint256 c) internal pure {
        self.exchanged = extract(c, 0);
        self.fillFees = (c >> 72) & type(uint128).max;
    }

    /// @dev The version alone.
    function timestampOf(uint256 a) internal pure returns (uint256) {
        return a & type(uint32).max;
    }

    /// @dev A side's size stays below 2^64 (Orders.sol).
    function storeSizes(PendingVersion memory self) internal pure returns (uint256) {
        return self.timestamp | insert(self.maker, 32) | insert(self.long, 104) | insert(self.short, 176)
            | (self.hasOrders ? HAS_ORDERS : 0) | (self.hasFills ? HAS_FILLS : 0);
    }

    /// @dev Units are below six sizes of 2^64 times a rate below 2^41 (§6.1).
    function storeUnits(PendingVersion memory self) internal pure returns (uint256) {
        return self.units | self.referralUnits << 88 | self.settlement << 176;
    }

    /// @dev Fees of fills are collateral that was paid, below 2^63 a fill.
    function storeFills(PendingVersion memory self) internal pure returns (uint256) {
        return insert(self.exchanged, 0) | self.fillFees << 72;
    }

    /// @dev The change of size at an offset, its sign extended.
    function extract(uint256 word, uint256 offset) private pure returns (int256 value) {
        assembly ("memory-safe") {
            value := signextend(8, shr(offset, word))
        }
    }

    /// @dev A change of size in its place.
    function insert(int256 value, uint256 offset) private pure returns (uint256) {
        // casts: two's complement, cut to its 72 bits
        return (uint256(value) & DELTA) << offset;
    }
}
