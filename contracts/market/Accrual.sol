// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Rounding } from "../math/Rounding.sol";
import { AccrualTerms } from "../types/AccrualTerms.sol";
import { AccumulatorStorage, Accumulators } from "../types/Accumulators.sol";
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

        int256 maker = accumulators.maker + perUnit(amounts.maker, interval.sizes.maker);
        int256 long = accumulators.long + perUnit(amounts.long, interval.sizes.long);
        int256 short = accumulators.short + perUnit(amounts.short, interval.sizes.short);
        // What would not fit is not distributed, on any side, so that it stays zero-sum (§1.6).
        if (!AccumulatorStorage.fits(maker) || !AccumulatorStorage.fits(long) || !AccumulatorStorage.fits(short)) {
            return (newRate, 0);
        }
        accumulators.maker = maker;
        accumulators.long = long;
        accumulators.short = short;
        fee = amounts.fee;
    }

    /// @dev USD per unit with 12 decimals, rounded down: against the side, in favour of the market (§1.4).
    function perUnit(int256 amount, uint256 size) internal pure returns (int256) {
        return size == 0 ? int256(0) : Rounding.floorDiv(amount * 1e6, size);
    }
}
