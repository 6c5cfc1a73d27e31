// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarketEvents } from "../interfaces/IMarketEvents.sol";
import { AccrualTerms } from "../types/AccrualTerms.sol";
import { AccumulatorStorage, Accumulators } from "../types/Accumulators.sol";
import { Book, BookStorage, SettledBook } from "../types/Book.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { PendingVersion, PendingVersionStorage } from "../types/PendingVersion.sol";
import { Pricing, PricingStorage } from "../types/Pricing.sol";
import { VersionStorage } from "../types/Version.sol";
import { Accrual } from "./Accrual.sol";
import { Fees } from "./Fees.sol";
import { DUST, Interval } from "./Interval.sol";
import { MarketStorage, QueueEntry } from "./MarketStorage.sol";
import { PriceFeed, Prices } from "./Prices.sol";
import { Rewards } from "./Rewards.sol";
import { SettlementFees } from "./SettlementFees.sol";

/// @notice The market while it is brought from version to version.
struct Progress {
    SettledBook book;
    Accumulators accumulators;
    Pricing pricing;
    FeeTerms fees;
    AccrualTerms accrual;
}

/// @title Settlement of the market: pending versions oldest first, then up to the latest (docs/protocol.md §5.6)
library Settlement {
    using Prices for PriceFeed;

    /// @dev Makers get position fees as long as a unit of theirs gains less than this, 12 decimals (§1.6).
    int256 private constant MAX_FEE_PER_UNIT = 1 << 70;

    /// @notice Settles the market.
    /// @param feed The oracle's versions
    /// @param protocolFee Protocol's share from now on, 6 decimals
    /// @param max How many pending versions to settle at most
    function sync(MarketStorage storage $, PriceFeed memory feed, uint256 protocolFee, uint256 max) internal {
        uint256 word = $.book;
        // Every pending version is later than the settled one: without a newer version there is nothing to do.
        if (feed.latest.timestamp <= BookStorage.timestampOf(word) || max == 0) return;
        Progress memory self = Progress({
            book: BookStorage.loadSettled(word),
            accumulators: AccumulatorStorage.load($.accumulators),
            pricing: PricingStorage.load($.pricing),
            fees: $.fees,
            accrual: $.accrual
        });
        if (self.pricing.protocolFee != protocolFee) {
            Fees.split($, self.pricing, self.fees);
            self.pricing.protocolFee = protocolFee;
        }

        while (true) {
            (PendingVersion memory pending, bool due) = next($, self, feed.latest.timestamp);
            if (pending.timestamp == self.book.timestamp || (due && max == 0)) break;
            settleVersion($, self, feed, pending, due);
            if (!due) continue;
            unchecked {
                --max;
                --self.book.count;
                // An empty queue starts again at its first slots, which are cheaper to overwrite than to create.
                self.book.head = self.book.count == 0 ? 0 : (self.book.head + 1) & type(uint16).max;
            }
        }

        $.book = BookStorage.store(self.book);
        $.accumulators = AccumulatorStorage.store(self.accumulators);
        $.pricing = PricingStorage.store(self.pricing);
    }

    /// @dev What to settle next: the oldest pending version if it is due, else the latest version, without orders.
    function next(MarketStorage storage $, Progress memory self, uint256 latest)
        private
        view
        returns (PendingVersion memory pending, bool due)
    {
        if (self.book.count != 0) {
            QueueEntry storage entry = $.queue[self.book.head];
            uint256 sizes = entry.orders;
            if (PendingVersionStorage.timestampOf(sizes) <= latest) {
                PendingVersionStorage.loadSizes(pending, sizes);
                if (pending.hasOrders) PendingVersionStorage.loadUnits(pending, entry.units);
                if (pending.hasFills) PendingVersionStorage.loadFills(pending, entry.fills);
                return (pending, true);
            }
        }
        pending.timestamp = latest;
    }

    /// @dev One version: what accrued since the last one, then its orders at its price.
    function settleVersion(
        MarketStorage storage $,
        Progress memory self,
        PriceFeed memory feed,
        PendingVersion memory pending,
        bool hasOrders
    ) private {
        (int256 price, bool valid) = feed.at($, pending.timestamp);
        if (!valid) price = self.pricing.price;

        uint256 fee = accrue($, self, feed, pending.timestamp, price);
        if (!valid) (pending.units, pending.referralUnits, pending.settlement) = (0, 0, 0);
        fee += distributePositionFees(self, pending, price);
        fee = Fees.collect($, self.pricing, self.fees, fee, pending.settlement);

        self.book.timestamp = pending.timestamp;
        self.pricing.price = price;
        self.pricing.valid = valid;
        if (hasOrders) {
            if (valid) pending.applyTo(self.book.sizes);
            else cancel($, pending);
            pending.applyFillsTo(self.book.sizes);
            if (valid || pending.hasFills) record($, self, feed, pending, valid);
        }
        emit IMarketEvents.MarketSettled(
            pending.timestamp,
            price,
            valid,
            self.accumulators.maker,
            self.accumulators.long,
            self.accumulators.short,
            self.pricing.fundingRate,
            fee,
            pending.settlement
        );
    }

    /// @dev PnL, funding, interest and rewards up to a version, unless the market is closed (§7.5).
    /// @return fee What the market keeps, USD with 12 decimals
    function accrue(
        MarketStorage storage $,
        Progress memory self,
        PriceFeed memory feed,
        uint256 timestamp,
        int256 price
    ) private returns (uint256 fee) {
        unchecked {
            // Nobody can hold a position before the first version.
            if (self.fees.closed() || self.book.timestamp == 0) return 0;

            uint256 elapsed = timestamp - self.book.timestamp;
            Interval memory interval = Interval(self.book.sizes, self.pricing.price, price, elapsed);
            (self.pricing.fundingRate, fee) =
                Accrual.accrue(interval, self.pricing.fundingRate, self.accrual, self.fees, self.accumulators);
            if (feed.config.hasRewards()) Rewards.accrue($, self.book.sizes, elapsed);
        }
    }

    /// @dev Position fees of a version's orders and fills, without the referrers' part: the market's share of them, and the rest to the makers
    ///      by their size before the version (§6.3).
    /// @return fee The market's share, USD with 12 decimals
    function distributePositionFees(Progress memory self, PendingVersion memory pending, int256 price)
        private
        pure
        returns (uint256 fee)
    {
        unchecked {
            uint256 total =
                (pending.units - pending.referralUnits) * SignedMath.abs(price) / 1e6 + pending.fillFees * 1e6;
            if (total == 0) return 0;

            uint256 makers = self.book.sizes.maker;
            if (makers < DUST) return total;
            fee = total * self.fees.positionFee() / 1e6;
            // casts: units are below 2^88, prices below 2^57
            int256 perUnit = Accrual.perUnit(int256(total - fee), makers);
            int256 next_ = self.accumulators.maker + perUnit;
            if (perUnit >= MAX_FEE_PER_UNIT || !AccumulatorStorage.fits(next_, AccumulatorStorage.MAX_DISTRIBUTED)) {
                return total;
            }
            self.accumulators.maker = next_;
        }
    }

    /// @dev Keeps what accounts need of a version.
    function record(
        MarketStorage storage $,
        Progress memory self,
        PriceFeed memory feed,
        PendingVersion memory pending,
        bool valid
    ) private {
        uint256 timestamp = pending.timestamp;
        uint256 feeCount =
            countSettlementFees(pending.settlement, SettlementFees.at($, feed.config, self.fees, timestamp));
        if (feeCount == VersionStorage.EXPLICIT) $.explicitSettlementFees[timestamp] = pending.settlement;
        $.versions[timestamp] =
            VersionStorage.pack(AccumulatorStorage.store(self.accumulators), valid, pending.hasFills, feeCount);
        if (!valid) $.carriedPrices[timestamp] = self.pricing.price;
        if (feed.config.hasRewards()) $.versionRewards[timestamp] = $.rewardAccumulators;
    }

    /// @dev How many settlement fees of the version's amount make the sum, or EXPLICIT where that does not work out:
    ///      it saves a slot for every version (settlementFees in MarketExtension.sol reads it).
    function countSettlementFees(uint256 sum, uint256 fee) private pure returns (uint256) {
        if (sum == 0) return 0;
        if (fee == 0 || sum % fee != 0 || sum / fee >= VersionStorage.EXPLICIT) return VersionStorage.EXPLICIT;
        return sum / fee;
    }

    /// @dev Orders of an invalid version: as if never placed (§5.5).
    function cancel(MarketStorage storage $, PendingVersion memory pending) private {
        uint256 word = $.pendingBook;
        Book memory sizes;
        BookStorage.loadSizes(sizes, word);
        pending.revertFrom(sizes);
        $.pendingBook = BookStorage.store(sizes, BookStorage.timestampOf(word));
    }
}
