// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { IMarketEvents } from "../interfaces/IMarketEvents.sol";
import { Rounding } from "../math/Rounding.sol";
import { AccountOrder, AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState } from "../types/AccountState.sol";
import { Book, BookStorage, SettledBook } from "../types/Book.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { OrderTerms } from "../types/OrderTerms.sol";
import { PendingSums, PendingSumsStorage } from "../types/PendingSums.sol";
import { PendingVersion, PendingVersionStorage } from "../types/PendingVersion.sol";
import { Side } from "../types/Side.sol";
import { Account, MarketStorage, OrderEntry, QueueEntry } from "./MarketStorage.sol";
import { PriceFeed } from "./Prices.sol";
import { Queues } from "./Queues.sol";

/// @notice An order: one of `opened` and `closed` is zero, not both.
/// @param account Whose order
/// @param side Side that it opens or closes
/// @param opened Size that it opens, raw with 6 decimals
/// @param closed Size that it closes, raw with 6 decimals
/// @param held Size of the account with all that it opens already, raw with 6 decimals
/// @param referrer Who gets the referral share, or zero
/// @param forced Whether a liquidation places it: no caps, no limits (§10.4, §5.7)
struct Order {
    address account;
    Side side;
    uint256 opened;
    uint256 closed;
    uint256 held;
    address referrer;
    bool forced;
}

/// @notice What an order adds to what its account is charged at the version.
/// @param units Fee units, 12 decimals
/// @param referralUnits Referrer's part of them, 12 decimals; rounding may take one back
/// @param settlementFee Settlement fee, USD with 6 decimals
struct Increments {
    uint256 units;
    int256 referralUnits;
    uint256 settlementFee;
}

/// @title Orders: from a request to the two queues, with its fee rate fixed (docs/protocol.md §5, §6, §10.4)
library Orders {
    uint256 private constant MAX_SIZE = 1 << 63;

    /// @notice Places an order at the current version. The caller checks margin, stores `state` and `sums`, and requests
    ///         the version.
    /// @param feed Current version and caps
    /// @param stored Where the account is stored
    /// @param state The settled account, moved in memory
    /// @param sums Sums over its pending orders, moved in memory
    /// @param order The order
    function place(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage stored,
        AccountState memory state,
        PendingSums memory sums,
        Order memory order
    ) internal {
        SettledBook memory book = BookStorage.loadSettled($.book);
        uint256 word = $.pendingBook;
        Book memory sizes;
        BookStorage.loadSizes(sizes, word);
        bool joins = Queues.joins(book, word, feed, order.forced);

        (int256 change, int256 absoluteChange) = move($, state, sums, book.sizes, sizes, order);
        $.pendingBook = BookStorage.store(sizes, feed.current);

        Increments memory added = record($, feed, stored, state, sums, order, change, absoluteChange);
        enqueue($, book, feed.current, joins, order, added);
        if (!joins) {
            ++book.count;
            $.book = BookStorage.store(book);
        }
    }

    /// @dev Moves the market's pending sizes and the account's sums, within the limits.
    /// @return change Change of skew (takers) or utilization (makers), 6 decimals
    /// @return absoluteChange Change of |skew| (takers), 6 decimals
    function move(
        MarketStorage storage $,
        AccountState memory state,
        PendingSums memory sums,
        Book memory settled,
        Book memory sizes,
        Order memory order
    ) private view returns (int256 change, int256 absoluteChange) {
        bool isMaker = order.side == Side.Maker;
        uint256 virtualTaker = isMaker ? 0 : $.accrual.virtualTaker();
        int256 before = measure(sizes, isMaker, virtualTaker);
        uint256 uncovered = sizes.deficit();

        if (order.opened != 0) {
            checkSize(settled.ofSide(order.side), order.opened);
            checkSize(sizes.ofSide(order.side), order.opened);
            checkSize(order.held, order.opened);
            sizes.add(order.side, order.opened);
            sums.opens += order.opened;
            state.side = order.side;
            checkIncrease($.order, sizes, isMaker);
        } else {
            sizes.sub(order.side, order.closed);
            sums.closes += order.closed;
            if (!order.forced && sizes.deficit() > uncovered) checkUncovered($.fees, sizes, isMaker);
        }

        int256 afterwards = measure(sizes, isMaker, virtualTaker);
        // All are at most 10^6.
        unchecked {
            change = afterwards - before;
            if (!isMaker) absoluteChange = int256(SignedMath.abs(afterwards)) - int256(SignedMath.abs(before));
        }
    }

    /// @dev Skew for takers, utilization for makers: what their fee depends on (§6.1).
    function measure(Book memory sizes, bool isMaker, uint256 virtualTaker) private pure returns (int256) {
        // casts: at most 10^6
        return isMaker ? int256(sizes.utilization(1e6)) : sizes.skew(virtualTaker);
    }

    /// @dev Bounds sizes to 63 bits (§1.5): an account's with all its opens, and the market's side both as settled and as
    ///      pending. Should closes be cancelled later, a settled side still stays below 2^64, which its slot can hold.
    function checkSize(uint256 size, uint256 opened) internal pure {
        if (opened >= MAX_SIZE || size + opened >= MAX_SIZE) revert IMarketErrors.SizeOverflow(opened);
    }

    /// @dev Limits of an increase, with pending orders counted (§10.4).
    function checkIncrease(OrderTerms terms, Book memory sizes, bool isMaker) internal pure {
        unchecked {
            if (isMaker) {
                if (sizes.maker >= terms.makerLimit()) {
                    revert IMarketErrors.MakerLimitExceeded(sizes.maker, terms.makerLimit());
                }
            } else if (sizes.maker * 1e6 <= terms.efficiencyLimit() * sizes.major()) {
                revert IMarketErrors.EfficiencyTooLow(sizes.maker, sizes.major(), terms.efficiencyLimit());
            }
        }
    }

    /// @dev A close that leaves more takers without cover needs its side's flag (§10.4).
    function checkUncovered(FeeTerms fees, Book memory sizes, bool isMaker) private pure {
        if (isMaker ? fees.makerCloseAlways() : fees.takerCloseAlways()) return;
        revert IMarketErrors.UncoveredClose(sizes.major(), sizes.cover());
    }

    /// @dev The account's side: its order at the version, new or joined, and its sums.
    function record(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage stored,
        AccountState memory state,
        PendingSums memory sums,
        Order memory order,
        int256 change,
        int256 absoluteChange
    ) private returns (Increments memory added) {
        (OrderEntry storage entry, AccountOrder memory total) = Queues.openOrder($, stored, feed, state, order.forced);
        FeeTerms fees = $.fees;
        if (!total.hasOrders()) {
            added.settlementFee = total.settlementFee = fees.settlementFee();
            // Liquidations are never refused: what does not fit is forgone.
            uint256 room = PendingSumsStorage.MAX_SETTLEMENT - sums.settlement;
            if (added.settlementFee > room) {
                if (!order.forced) revert IMarketErrors.CollateralOverflow(added.settlementFee);
                added.settlementFee = total.settlementFee = room;
            }
            // Else the fee is the version's, and need not be stored.
            total.hasTerms = total.settlementFee != fees.settlementFee() || feed.current <= feed.config.feeSince();
        }

        charge($, total, order, change, absoluteChange, fees.referralFee(), added);
        sums.units += added.units;
        sums.settlement += added.settlementFee;
        state.ordered = true;
        if (total.referrer != address(0)) total.hasTerms = true;
        entry.sizes = AccountOrderStorage.storeSizes(total);
        if (total.hasTerms) entry.terms = AccountOrderStorage.storeTerms(total);

        emit IMarketEvents.OrderPlaced(
            order.account,
            feed.current,
            uint256(order.side),
            order.opened,
            order.closed,
            total.rate,
            added.settlementFee,
            order.referrer
        );
    }

    /// @dev All orders of an account at a version are charged as one; what was charged never falls (§6.2).
    function charge(
        MarketStorage storage $,
        AccountOrder memory total,
        Order memory order,
        int256 change,
        int256 absoluteChange,
        uint256 referralFee,
        Increments memory added
    ) private view {
        unchecked {
            uint256 unitsBefore = total.units();
            uint256 referralBefore = total.referralUnits();
            // What the orders so far would be charged on the terms of today: a change of terms does not reach back (§4.4).
            bool joins = total.opened | total.closed != 0;
            uint256 today = joins ? total.unitsAt(rate($.order, order.side == Side.Maker, total)) : 0;

            total.opened += order.opened;
            total.closed += order.closed;
            total.change = Rounding.clamp(total.change + change, AccountOrderStorage.MAX_CHANGE);
            total.absoluteChange = Rounding.clamp(total.absoluteChange + absoluteChange, AccountOrderStorage.MAX_CHANGE);
            total.rate = rate($.order, order.side == Side.Maker, total);
            if (joins) {
                uint256 increase = Math.saturatingSub(total.units(), Math.max(unitsBefore, today));
                // Rounded up twice, it might leave its bits.
                total.rate = Math.min(
                    Rounding.ceilDiv((unitsBefore + increase) * 1e6, total.opened + total.closed),
                    AccountOrderStorage.MAX_RATE
                );
            }
            uint256 units = total.units();
            added.units = units - unitsBefore;

            if (order.referrer != address(0)) {
                if (total.referrer != address(0) && total.referrer != order.referrer) {
                    revert IMarketErrors.ReferrerMismatch(total.referrer, order.referrer);
                }
                total.referrer = order.referrer;
            } else {
                referralFee = 0;
            }
            // The share of all units is the average over the orders, by what each added.
            total.referralShare =
                units == 0 ? 0 : (total.referralShare * unitsBefore + referralFee * 1e6 * added.units) / units;
            // casts: units are below 2^88
            added.referralUnits = int256(total.referralUnits()) - int256(referralBefore);
        }
    }

    /// @dev Fee rate, 12 decimals (§6.1), at most 219.9 % of notional so that units fit their slots.
    function rate(OrderTerms terms, bool isMaker, AccountOrder memory total) private pure returns (uint256) {
        unchecked {
            // casts: 24 bits times 26 bits
            int256 fee = isMaker
                ? int256(terms.makerFee() * 1e6) + total.change * int256(terms.makerImpactFee())
                : int256(terms.takerFee() * 1e6 + SignedMath.abs(total.change) * terms.takerSkewFee())
                    + total.absoluteChange * int256(terms.takerImpactFee());
            return Math.min(uint256(SignedMath.max(fee, 0)), AccountOrderStorage.MAX_RATE);
        }
    }

    /// @dev The market's side: the version in its queue, new or joined.
    function enqueue(
        MarketStorage storage $,
        SettledBook memory book,
        uint256 current,
        bool joins,
        Order memory order,
        Increments memory added
    ) private {
        unchecked {
            (QueueEntry storage entry, PendingVersion memory pending) = Queues.openVersion($, book, joins, current);
            if (pending.hasOrders) PendingVersionStorage.loadUnits(pending, entry.units);
            pending.hasOrders = true;

            // casts: sizes are below 2^63, units below 2^88
            pending.change(order.side, int256(order.opened) - int256(order.closed));
            pending.units += added.units;
            pending.referralUnits = uint256(int256(pending.referralUnits) + added.referralUnits);
            pending.settlement += added.settlementFee;
            entry.orders = PendingVersionStorage.storeSizes(pending);
            entry.units = PendingVersionStorage.storeUnits(pending);
        }
    }
}
