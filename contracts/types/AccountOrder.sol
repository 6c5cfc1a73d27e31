// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Rounding } from "../math/Rounding.sol";

/// @notice An account's orders at one version, charged as one (docs/protocol.md §6.2; slots O.a, O.b, O.c).
/// @param timestamp The version
/// @param opened Size that they open, raw with 6 decimals
/// @param closed Size that they close, raw with 6 decimals
/// @param rate Fee rate on both, 12 decimals, below 2^41
/// @param change Sum of the changes of skew (takers) or utilization (makers), 6 decimals
/// @param absoluteChange Sum of the changes of |skew| (takers), 6 decimals
/// @param hasTerms Whether O.b means anything: there is a referrer, or the settlement fee is not its version's
/// @param referrer Who gets the referral share, or zero
/// @param settlementFee Settlement fee from when it was placed, USD with 6 decimals (SettlementFees.sol)
/// @param referralShare Share of the fee units that the referrer gets, 12 decimals
/// @param hasFills Whether O.c means anything: the account has fills at the version
/// @param fillSize Net size of its fills, positive where it bought, raw with 6 decimals
/// @param fillNotional Sum of their sizes times agreed prices, USD with 12 decimals, signed as the sizes
struct AccountOrder {
    uint256 timestamp;
    uint256 opened;
    uint256 closed;
    uint256 rate;
    int256 change;
    int256 absoluteChange;
    bool hasTerms;
    address referrer;
    uint256 settlementFee;
    uint256 referralShare;
    bool hasFills;
    int256 fillSize;
    int256 fillNotional;
}

using { hasOrders, units, unitsAt, referralUnits } for AccountOrder global;

/// @return Whether there are orders at the version, not just fills
function hasOrders(AccountOrder memory self) pure returns (bool) {
    return self.opened | self.closed != 0;
}

/// @return Fee units, 12 decimals, rounded up (§6.1)
function units(AccountOrder memory self) pure returns (uint256) {
    return self.unitsAt(self.rate);
}

/// @return Fee units at another rate of 12 decimals, rounded up
function unitsAt(AccountOrder memory self, uint256 rate) pure returns (uint256) {
    unchecked {
        return Rounding.ceilDiv((self.opened + self.closed) * rate, 1e6);
    }
}

/// @return Fee units that the referrer gets, 12 decimals, rounded down
function referralUnits(AccountOrder memory self) pure returns (uint256) {
    unchecked {
        return self.referralShare == 0 ? 0 : self.units() * self.referralShare / 1e12;
    }
}

/// @title Slots O.a, O.b and O.c
library AccountOrderStorage {
    uint256 internal constant MAX_RATE = (1 << 41) - 1;
    int256 internal constant MAX_CHANGE = (1 << 25) - 1;

    uint256 private constant SIZE = (1 << 63) - 1;
    uint256 private constant CHANGE = (1 << 26) - 1;

    // O.a | timestamp 32 | opened 63 | closed 63 | rate 41 | change 26 signed | absolute change 26 signed | terms 1 | fills 1 | 3 unused |
    /// @dev Unpacks O.a into an order.
    function loadSizes(AccountOrder memory self, uint256 a) internal pure {
        self.timestamp = timestampOf(a);
        self.opened = (a >> 32) & SIZE;
        self.closed = (a >> 95) & SIZE;
        self.rate = (a >> 158) & MAX_RATE;
        // casts: sign extension by shifting up and back
        self.change = int256(a << 31) >> 230;
        self.absoluteChange = int256(a << 5) >> 230;
        self.hasTerms = (a >> 251) & 1 == 1;
        self.hasFills = hasFillsIn(a);
    }

    // O.b | referrer 160 | settlement fee 48 | referral share 40 | 8 unused |
    /// @dev Unpacks O.b into an order.
    function loadTerms(AccountOrder memory self, uint256 b) internal pure {
        // casts: the lowest 160 bits are the address
        self.referrer = address(uint160(b));
        self.settlementFee = (b >> 160) & type(uint48).max;
        self.referralShare = (b >> 208) & type(uint40).max;
    }

    // O.c | fill size 64 signed | fill notional 128 signed | 64 unused |
    /// @dev Unpacks O.c into an order.
    function loadFills(AccountOrder memory self, uint256 c) internal pure {
        (self.fillSize, self.fillNotional) = fillsOf(c);
    }

    /// @dev Size and notional of fills alone.
    function fillsOf(uint256 c) internal pure returns (int256 size, int256 notional) {
        // casts: sign extension
        return (int256(int64(uint64(c))), int256(int128(uint128(c >> 64))));
    }

    /// @dev |size| is below 2^63 and |notional| below 2^127 (Matching.sol).
    function storeFills(AccountOrder memory self) internal pure returns (uint256) {
        // casts: two's complement, cut to its bits
        return uint256(uint64(int64(self.fillSize))) | uint256(uint128(int128(self.fillNotional))) << 64;
    }

    /// @dev Whether there are fills, alone.
    function hasFillsIn(uint256 a) internal pure returns (bool) {
        return (a >> 252) & 1 == 1;
    }

    /// @dev The version alone.
    function timestampOf(uint256 a) internal pure returns (uint256) {
        return a & type(uint32).max;
    }

    /// @dev Packs O.a; sums are saturated where they are made.
    function storeSizes(AccountOrder memory self) internal pure returns (uint256) {
        // casts: two's complement, cut to its bits; saturated where it is summed
        return self.timestamp | self.opened << 32 | self.closed << 95 | self.rate << 158
            | (uint256(self.change) & CHANGE) << 199 | (uint256(self.absoluteChange) & CHANGE) << 225
            | (self.hasTerms ? 1 << 251 : 0) | (self.hasFills ? 1 << 252 : 0);
    }

    /// @dev Packs O.b.
    function storeTerms(AccountOrder memory self) internal pure returns (uint256) {
        return uint256(uint160(self.referrer)) | self.settlementFee << 160 | self.referralShare << 208;
    }
}
