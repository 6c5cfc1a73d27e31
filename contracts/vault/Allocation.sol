// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { Rounding } from "../math/Rounding.sol";
import { Observation } from "./MarketReader.sol";

/// @notice What a vault wants of a market; 6 decimals.
/// @param leverage Leverage that is used: the configured one, or what margin allows
/// @param minKeep Least collateral of a position
/// @param target Size that the market should have
/// @param flow Size that the epoch's net deposits (or redemptions) alone would open (or close) here
/// @param delta Change of size that is ordered
/// @param big Whether the market is off its target by more than the tolerance
/// @param rests Whether nothing may be opened beyond the flow: something was closed or opened beyond it a short while ago
/// @param pocketed Whether part of its collateral belongs to those who have left
/// @param done Whether the market needs no tokens
/// @param charge What the epoch's requests pay of the order's fees, USD
struct Leg {
    uint256 leverage;
    uint256 minKeep;
    uint256 target;
    int256 flow;
    int256 delta;
    bool big;
    bool rests;
    bool pocketed;
    bool done;
    uint256 charge;
}

/// @title Allocation: how large a vault's position in a market should be, and what to order (docs/protocol.md §12.2)
/// @dev An epoch orders towards the target, no more than its own net flow needs: whoever enters or leaves pays for that.
///      Only where a market is off by more than the tolerance is the rest made good as well, at the expense of all; and
///      after such an order nothing is opened so for a day: nobody can have fees paid again and again, neither by prices
///      that swing nor by deposits that come while the market takes no order and so pay for none.
library Allocation {
    /// @dev Margin requirements are covered one and a half times, 6 decimals.
    uint256 internal constant SAFETY = 1_500_000;

    /// @dev An order moves at least this many times its settlement fee in collateral.
    uint256 internal constant WORTH = 10;

    /// @notice Leverage that is used and the least collateral of a position.
    function terms(Leg memory self, uint256 leverage, uint256 margin, uint256 minMargin) internal pure {
        self.leverage = margin == 0 ? leverage : Math.min(leverage, 1e18 / (margin * SAFETY));
        self.minKeep = Rounding.ceilDiv(minMargin * SAFETY, 1e6);
    }

    /// @notice Plans an order.
    /// @param seen The market
    /// @param share Collateral that the market's weight gives it
    /// @param change Part of the epoch's net flow that the weight gives it
    /// @param enters Whether the flow enters
    /// @param tolerance Part of its target by which a market may be off
    function plan(
        Leg memory self,
        Observation memory seen,
        uint256 share,
        uint256 change,
        bool enters,
        uint256 tolerance
    ) internal pure {
        if (seen.price == 0) return;
        uint256 change_ = sizeOf(self, seen, change);
        // casts: assets are below 2^96, leverage below 2^27
        self.flow = enters ? int256(change_) : -int256(change_);
        self.target = share < self.minKeep ? 0 : sizeOf(self, seen, share);
        if (!seen.fresh || seen.count != 0 || seen.collateral < 0) return;

        int256 gap = limit(seen, int256(self.target) - int256(seen.size));
        int256 own = gap > 0
            ? SignedMath.min(gap, SignedMath.max(self.flow, 0))
            : SignedMath.max(gap, SignedMath.min(self.flow, 0));
        bool rests = self.rests && gap > 0;
        uint256 tolerated = tolerance * Math.max(self.target, seen.size);
        self.big = !rests && SignedMath.abs(gap) * 1e6 > tolerated;
        // Of an increase, what those who enter leave missing must itself be worth the market's rest.
        bool forAll = self.big && (gap < 0 || SignedMath.abs(gap - own) * 1e6 > tolerated);
        self.delta = forAll ? gap : own;
        dropUnlessWorth(self, seen);
    }

    /// @notice Whether the order closes more than those who leave pay for, or opens more than those who enter do, because
    ///         the market is off by so much.
    function isForAll(Leg memory self) internal pure returns (bool) {
        return self.big && (self.delta < SignedMath.min(self.flow, 0) || self.delta > SignedMath.max(self.flow, 0));
    }

    /// @notice Drops an order whose settlement fee would be out of proportion, unless it closes the position for good, or
    ///         those who have left wait for it.
    function dropUnlessWorth(Leg memory self, Observation memory seen) internal pure {
        if (self.target == 0 || (self.pocketed && self.delta < 0)) return;
        uint256 moved = SignedMath.abs(self.delta) * seen.price / self.leverage;
        if (moved < WORTH * seen.settlementFee) self.delta = 0;
    }

    /// @notice Collateral that a size needs to be at the leverage, rounded up.
    function keep(Leg memory self, uint256 price, uint256 size) internal pure returns (uint256) {
        return size == 0 ? 0 : Math.max(Math.ceilDiv(size * price, self.leverage), self.minKeep);
    }

    /// @notice Size that collateral carries at the leverage, rounded down.
    function sizeOf(Leg memory self, Observation memory seen, uint256 collateral) internal pure returns (uint256) {
        return collateral * self.leverage / seen.price;
    }

    /// @notice Reduces an increase to what collateral at hand carries.
    /// @param available Collateral at hand, with what is in the market
    function afford(Leg memory self, Observation memory seen, uint256 available) internal pure {
        // casts: collateral is below 2^64, leverage below 2^27
        int256 most = available < self.minKeep ? int256(0) : int256(sizeOf(self, seen, available)) - int256(seen.size);
        if (self.delta <= most) return;
        self.delta = SignedMath.max(most, 0);
        dropUnlessWorth(self, seen);
    }

    /// @dev What the market accepts of a change (§7.5, §10.4).
    function limit(Observation memory seen, int256 gap) private pure returns (int256) {
        // casts: sizes are below 2^64
        if (gap > 0) {
            if (seen.closed) return 0;
            return SignedMath.min(gap, int256(Rounding.subFloor(seen.makerLimit, seen.maker + 1)));
        }
        return seen.closeAlways ? gap : SignedMath.max(gap, -int256(seen.free));
    }
}
