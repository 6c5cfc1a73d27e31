// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Book } from "../types/Book.sol";
import { Side } from "../types/Side.sol";

/// @dev Seconds of the 365-day year that rates are per (docs/protocol.md §1.2).
uint256 constant YEAR = 365 days;

/// @dev A side below 0.001 units receives no distributions (§1.6).
uint256 constant DUST = 1000;

/// @notice The time between two versions (docs/protocol.md §7); sizes are constant in between.
/// @param sizes Settled sizes after the earlier version's orders, raw with 6 decimals
/// @param from Price of the earlier version, raw with 6 decimals
/// @param to Price of the later version, raw with 6 decimals
/// @param elapsed Seconds
struct Interval {
    Book sizes;
    int256 from;
    int256 to;
    uint256 elapsed;
}

/// @notice What each side gains over an interval, and what the market keeps: USD with 12 decimals.
/// @dev The four sum to zero: every room of contracts/market keeps it so.
struct Amounts {
    int256 maker;
    int256 long;
    int256 short;
    uint256 fee;
}

using { pay } for Amounts global;

/// @notice Books a side's share, in memory. A dust side pays as any other, but what it would receive goes to the
///         market fee (§1.6).
/// @param side Which side
/// @param size Its size, raw with 6 decimals
/// @param amount USD with 12 decimals; negative is paid by the side
function pay(Amounts memory self, Side side, uint256 size, int256 amount) pure {
    unchecked {
        if (amount > 0 && size < DUST) {
            // casts: positive
            self.fee += uint256(amount);
        } else if (side == Side.Maker) {
            self.maker += amount;
        } else if (side == Side.Long) {
            self.long += amount;
        } else {
            self.short += amount;
        }
    }
}
