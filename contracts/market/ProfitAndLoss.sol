// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { Book } from "../types/Book.sol";
import { Amounts, Interval } from "./Interval.sol";

/// @title PnL of an interval, socialized over takers without cover (docs/protocol.md §7.1)
library ProfitAndLoss {
    /// @dev Exact at 12 decimals. Makers are exposed to at most their size: |covered long − covered short| ≤ maker.
    function accrue(Interval memory interval, Amounts memory amounts) internal pure {
        unchecked {
            int256 move = interval.to - interval.from;
            if (move == 0) return;

            Book memory sizes = interval.sizes;
            // casts: sizes are below 2^64
            int256 longs = move * int256(Math.min(sizes.long, sizes.maker + sizes.short));
            int256 shorts = -move * int256(Math.min(sizes.short, sizes.maker + sizes.long));
            amounts.long += longs;
            amounts.short += shorts;
            amounts.maker -= longs + shorts;
        }
    }
}
