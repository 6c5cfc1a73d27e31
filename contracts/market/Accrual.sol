// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Rounding } from "../math/Rounding.sol";
import { AccrualTerms } from "../types/AccrualTerms.sol";
import { AccumulatorStorage, Accumulators } from "../types/Accumulators.sol";
import { Book } from "../types/Book.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { Funding } from "./Funding.sol";
import { Interest } from "./Interest.sol";
import { Amounts, Interval } from "./Interval.sol";
import { ProfitAndLoss } from "./ProfitAndLoss.sol";

/// @title What happens between two versions: PnL, funding and interest into the accumulators (docs/protocol.md §7)
library Accrual {
    /// @notice Accrues an interval.
    /// @param interval Sizes, prices and time
    /// @param rate Funding rate at its start, 12 decimals
    /// @param terms Controller and curve
    /// @param fees The market's shares
    /// @param accumulators Moved in memory
    /// @return newRate Funding rate at its end, 12 decimals
    /// @return fee What the market keeps, USD with 12 decimals
    function accrue(
        Interval memory interval,
        int256 rate,
        AccrualTerms terms,
        FeeTerms fees,
        Accumulators memory accumulators
    ) internal pure returns (int256 newRate, uint256 fee) {
        Amounts memory amounts;
        ProfitAndLoss.accrue(interval, amounts);
        newRate = Funding.accrue(interval, rate, terms, fees, amounts);
        Interest.accrue(interval, terms, fees, amounts);
        if (book(interval.sizes, amounts, accumulators, AccumulatorStorage.MAX_DISTRIBUTED)) {
            return (newRate, amounts.fee);
        }

        // What would not fit is not distributed, but PnL is always booked (§1.6).
        delete amounts;
        ProfitAndLoss.accrue(interval, amounts);
        book(interval.sizes, amounts, accumulators, AccumulatorStorage.MAX);
    }

    /// @dev Moves the accumulators by the amounts, in memory: all three or none, so that it stays zero-sum.
    /// @param bound Bound of each accumulator, both ways
    /// @return Whether they fit. PnL alone always does but after moves between ±10^11 USD, again and again (§1.5).
    function book(Book memory sizes, Amounts memory amounts, Accumulators memory accumulators, int256 bound)
        private
        pure
        returns (bool)
    {
        // Accumulators are below 2^79, amounts below 2^210.
        unchecked {
            int256 maker = accumulators.maker + perUnit(amounts.maker, sizes.maker);
            int256 long = accumulators.long + perUnit(amounts.long, sizes.long);
            int256 short = accumulators.short + perUnit(amounts.short, sizes.short);
            if (
                !AccumulatorStorage.fits(maker, bound) || !AccumulatorStorage.fits(long, bound)
                    || !AccumulatorStorage.fits(short, bound)
            ) {
                return false;
            }
            accumulators.maker = maker;
            accumulators.long = long;
            accumulators.short = short;
            return true;
        }
    }

    /// @dev USD per unit with 12 decimals, rounded down: against the side, in favour of the market (§1.4).
    function perUnit(int256 amount, uint256 size) internal pure returns (int256) {
        unchecked {
            return size == 0 ? int256(0) : Rounding.floorDiv(amount * 1e6, size);
        }
    }
}
