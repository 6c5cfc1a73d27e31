// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { AccrualTerms } from "../types/AccrualTerms.sol";
import { Book } from "../types/Book.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { Side } from "../types/Side.sol";
import { Amounts, Interval, YEAR } from "./Interval.sol";

/// @title Interest: what takers pay makers for their capital (docs/protocol.md §7.3)
library Interest {
    /// @dev What is 1 with 12 decimals.
    uint256 private constant ONE = 1e12;

    /// @notice Books the interest of an interval.
    /// @param interval Sizes, prices and time
    /// @param terms Curve
    /// @param fees The market's share and the curve's target
    /// @param amounts Where it is booked
    function accrue(Interval memory interval, AccrualTerms terms, FeeTerms fees, Amounts memory amounts) internal pure {
        unchecked {
            Book memory sizes = interval.sizes;
            uint256 takers = sizes.long + sizes.short;
            uint256 lent = sizes.maker < takers ? sizes.maker : takers;
            if (lent == 0) return;

            uint256 yearly = rate(sizes.utilization(ONE), terms, fees.targetUtilization() * 1e6);
            uint256 amount = lent * SignedMath.abs(interval.from) * yearly * interval.elapsed / (YEAR * ONE);
            uint256 fee = amount * fees.interestFee() / 1e6;
            uint256 longs = amount * sizes.long / takers;

            amounts.fee += fee;
            // casts: the amount is below 2^140
            amounts.long -= int256(longs);
            amounts.short -= int256(amount - longs);
            amounts.pay(Side.Maker, sizes.maker, int256(amount - fee));
        }
    }

    /// @notice The curve: linear from minRate to targetRate at the target, and on to maxRate at 1.
    /// @param utilization Utilization, 12 decimals
    /// @param terms The three rates, 6 decimals
    /// @param target Target utilization, 12 decimals
    /// @return Rate per year, 12 decimals
    function rate(uint256 utilization, AccrualTerms terms, uint256 target) internal pure returns (uint256) {
        unchecked {
            if (utilization < target) {
                return (terms.minRate() * (target - utilization) + terms.targetRate() * utilization) * 1e6 / target;
            }
            if (target == ONE) return terms.targetRate() * 1e6;
            return (terms.targetRate() * (ONE - utilization) + terms.maxRate() * (utilization - target)) * 1e6
                / (ONE - target);
        }
    }
}
