// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { Rounding } from "../math/Rounding.sol";
import { AccrualTerms } from "../types/AccrualTerms.sol";
import { Book } from "../types/Book.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { Side } from "../types/Side.sol";
import { Amounts, Interval, YEAR } from "./Interval.sol";

/// @title Funding: a proportional controller over the skew (docs/protocol.md §7.2)
library Funding {
    /// @notice Books the funding of an interval and moves the rate.
    /// @param interval Sizes, prices and time
    /// @param rate Rate at its start, per year with 12 decimals
    /// @param terms Controller and virtual taker
    /// @param fees The market's share, and whether makers only receive
    /// @param amounts Where it is booked
    /// @return Rate at its end, per year with 12 decimals
    function accrue(Interval memory interval, int256 rate, AccrualTerms terms, FeeTerms fees, Amounts memory amounts)
        internal
        pure
        returns (int256)
    {
        (int256 newRate, int256 doubled) = integrate(
            rate, interval.sizes.skew(terms.virtualTaker()), interval.elapsed, terms, fees.makerReceiveOnly()
        );
        distribute(interval, doubled, fees.fundingFee(), amounts);
        return newRate;
    }

    /// @notice The exact integral of the clamped rate.
    /// @dev The rate runs along x(t) = rate + skew·t/k and is clamped to ±max. With the antiderivative C of the clamp,
    ///      the integral over time is (C(x(t₁)) − C(x(t₀)))·k/skew: no case distinction on when it hits the bound.
    ///      All is scaled by k, so that nothing is rounded before the last division. Where makers only receive, |x| is
    ///      integrated, in the direction of the skew.
    /// @param rate Rate at the start, 12 decimals
    /// @param skew Skew, 6 decimals
    /// @param elapsed Seconds
    /// @param terms Controller
    /// @param receiveOnly Whether the direction is that of the skew
    /// @return newRate Rate at the end, 12 decimals
    /// @return doubled Twice the integral, in seconds with 12 decimals; positive: longs pay
    function integrate(int256 rate, int256 skew, uint256 elapsed, AccrualTerms terms, bool receiveOnly)
        internal
        pure
        returns (int256 newRate, int256 doubled)
    {
        unchecked {
            // casts: k < 2^48, max · 10^6 < 2^52, elapsed < 2^32
            int256 k = int256(terms.k());
            int256 max = int256(terms.max() * 1e6);
            int256 time = int256(elapsed);
            if (skew == 0) {
                newRate = Rounding.clamp(rate, max);
                return (newRate, 2 * newRate * time);
            }
            int256 start = rate * k;
            int256 end = start + skew * time * 1e12;
            newRate = Rounding.clamp(end / k, max);

            max *= k;
            int256 area = antiderivative(end, max, receiveOnly) - antiderivative(start, max, receiveOnly);
            // The integral of |x| has the direction of the skew already: its area runs from start to end.
            // casts: |skew| is at most 10^6
            doubled = area / (k * (receiveOnly ? int256(SignedMath.abs(skew)) : skew) * 1e12);
        }
    }

    /// @dev Twice the antiderivative of the clamp to ±max at x, or of its absolute value.
    function antiderivative(int256 x, int256 max, bool absolute) private pure returns (int256 doubled) {
        unchecked {
            // casts: |x| < 2^102
            int256 magnitude = int256(SignedMath.abs(x));
            doubled = magnitude <= max ? x * x : max * (2 * magnitude - max);
            if (absolute && x < 0) doubled = -doubled;
        }
    }

    /// @dev The larger taker side exchanges the amount with the smaller and the makers, each for its part of the cover.
    ///      The market's share is taken half from what is paid, half from what is received.
    function distribute(Interval memory interval, int256 doubled, uint256 fundingFee, Amounts memory amounts)
        private
        pure
    {
        unchecked {
            Book memory sizes = interval.sizes;
            uint256 covered = sizes.cover();
            if (covered > sizes.major()) covered = sizes.major();
            if (covered == 0 || doubled == 0) return;

            uint256 amount = SignedMath.abs(doubled) * covered * SignedMath.abs(interval.from) / (2 * YEAR * 1e12);
            uint256 half = amount * fundingFee / 2e6;
            amounts.fee += 2 * half;

            // casts: amounts are below 2^140, sizes below 2^64
            int256 paid = -int256(amount + half);
            int256 received = int256(amount - half);
            bool longIsMajor = sizes.long >= sizes.short;
            bool majorPays = longIsMajor == (doubled > 0);
            int256 other = majorPays ? received : paid;
            int256 minorShare = Rounding.floorDiv(other * int256(sizes.minor()), covered);

            (Side major, Side minor) = longIsMajor ? (Side.Long, Side.Short) : (Side.Short, Side.Long);
            amounts.pay(major, sizes.major(), majorPays ? paid : received);
            amounts.pay(minor, sizes.minor(), minorShare);
            amounts.pay(Side.Maker, sizes.maker, other - minorShare);
        }
    }
}
