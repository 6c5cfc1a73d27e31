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
import { PendingSums, PendingSumsStorage } from "../types/PendingSums.sol";
import { PendingVersion, PendingVersionStorage } from "../types/PendingVersion.sol";
import { PricingStorage } from "../types/Pricing.sol";
import { Side } from "../types/Side.sol";
import { Accounts } from "./Accounts.sol";
import { Fills, PendingFills } from "./Fills.sol";
import { Freshness } from "./Freshness.sol";
import { Margin } from "./Margin.sol";
import { Account, MarketStorage, OrderEntry, QueueEntry } from "./MarketStorage.sol";
import { Orders } from "./Orders.sol";
import { PriceFeed } from "./Prices.sol";
import { Queues } from "./Queues.sol";

/// @notice One side of a fill or cross, in memory.
/// @param account Whose account
/// @param before Collateral as stored
/// @param state The settled account
/// @param sums Sums over its pending orders
/// @param fills Its pending fills
/// @param reduces Whether the fill just makes it smaller
/// @param signed Whether it signed an intent, and so pays the fee
/// @param originator Who gets the referral share of its fee, or zero
/// @param solver Who gets a share of that, or zero
/// @param solverShare That share, 6 decimals
/// @param collateralization Least ratio of effective collateral to worst notional that it accepts, 6 decimals
struct Party {
    address account;
    int256 before;
    AccountState state;
    PendingSums sums;
    PendingFills fills;
    bool reduces;
    bool signed;
    address originator;
    address solver;
    uint256 solverShare;
    uint256 collateralization;
}

/// @title Matching: two accounts exchange size at an agreed price (docs/protocol.md §9)
/// @dev Longs and shorts change alike, so the makers are not touched and no price needs to be requested.
library Matching {
    uint256 private constant MAX_SIZE = 1 << 63;

    /// @dev Prices within the largest deviation of the largest price are below (§4.2, §1.5).
    uint256 private constant MAX_PRICE = 1 << 62;

    /// @notice Exchanges `amount` at `price`: `a` buys where it is positive. Both are settled and, as far as they signed,
    ///         verified.
    function exchange(
        MarketStorage storage $,
        PriceFeed memory feed,
        Party memory a,
        Party memory b,
        int256 amount,
        int256 price
    ) internal {
        int256 latest = checkPrice($, feed, amount, price);
        Account storage storedA = $.accounts[a.account];
        Account storage storedB = $.accounts[b.account];
        // Sizes are below 2^63 and prices below 2^62, so what one account has of either is below 2^127.
        unchecked {
            int256 notional = amount * price;
            int256 exchanged =
                join($, feed, storedA, a, amount, notional) + join($, feed, storedB, b, -amount, -notional);
            uint256 fees = charge($, a, amount, latest) + charge($, b, amount, latest);
            enqueue($, feed, exchanged, fees, a.reduces && b.reduces);
            checkMargin($, a, latest);
            checkMargin($, b, latest);

            Accounts.store($, storedA, a.state, a.before);
            Accounts.store($, storedB, b.state, b.before);
            emit IMarketEvents.IntentFilled(a.account, b.account, feed.current, amount, price, fees);
        }
    }

    /// @dev The latest price must be fresh and near the agreed one (§9.5).
    /// @return latest Latest price
    function checkPrice(MarketStorage storage $, PriceFeed memory feed, int256 amount, int256 price)
        private
        view
        returns (int256 latest)
    {
        uint256 pricing = $.pricing;
        Freshness.check(feed, pricing, $.margin);
        latest = PricingStorage.price(pricing);
        uint256 deviation = $.fees.maxPriceDeviation();
        if (
            SignedMath.abs(price) >= MAX_PRICE
                || SignedMath.abs(price - latest) * 1e6 > deviation * SignedMath.abs(latest)
        ) revert IMarketErrors.PriceTooFar(price, latest, deviation);
        if (SignedMath.abs(amount) >= MAX_SIZE) revert IMarketErrors.SizeOverflow(SignedMath.abs(amount));
    }

    /// @dev Adds a fill to an account's entry at the current version.
    /// @param size Size with its sign
    /// @param notional Size times agreed price, USD with 12 decimals
    /// @return longs What the fill changes of the account's long size
    function join(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage stored,
        Party memory party,
        int256 size,
        int256 notional
    ) private returns (int256 longs) {
        AccountState memory state = party.state;
        Accounts.checkLock(stored, state, party.account);
        if (state.ordered) PendingSumsStorage.load(party.sums, stored.pending);
        if (state.side == Side.Maker && (state.size != 0 || party.sums.opens != 0)) {
            revert IMarketErrors.MakerCannotFill(party.account);
        }
        bool ordered = Margin.hasOrders(party.sums);
        if (ordered) {
            Fills.pending(party.fills, stored, state);
            longs = weighOrdered(party, size);
        }

        (OrderEntry storage entry, AccountOrder memory order) = Queues.openOrder($, stored, feed, state, false);
        if (order.hasFills) AccountOrderStorage.loadFills(order, entry.fills);
        order.hasFills = true;
        unchecked {
            order.fillSize += size;
            order.fillNotional += notional;
        }
        if (SignedMath.abs(order.fillSize) >= MAX_SIZE || SignedMath.abs(order.fillNotional) >= 1 << 127) {
            revert IMarketErrors.SizeOverflow(SignedMath.abs(size));
        }
        entry.sizes = AccountOrderStorage.storeSizes(order);
        entry.fills = AccountOrderStorage.storeFills(order);

        state.filled = true;
        Fills.pending(party.fills, stored, state);
        if (!ordered) longs = weigh(party, size);
        if (Math.max(party.fills.worst, state.size + party.sums.opens + party.fills.opens) >= MAX_SIZE) {
            revert IMarketErrors.SizeOverflow(SignedMath.abs(size));
        }
    }

    /// @dev What a fill is to an account with orders pending (§5.3): an open on their side, or a close of what may be
    ///      closed. Says in `party` whether it just makes the account smaller.
    /// @param party The account, with its fills before this one
    /// @return longs What it changes of the account's long size
    function weighOrdered(Party memory party, int256 size) private pure returns (int256 longs) {
        AccountState memory state = party.state;
        bool isLong = state.side == Side.Long;
        party.reduces = isLong != (size > 0);
        if (party.reduces) {
            uint256 closable = Margin.closable(state, party.sums, party.fills);
            if (SignedMath.abs(size) > closable) revert IMarketErrors.OverClose(SignedMath.abs(size), closable);
        }
        return isLong ? size : int256(0);
    }

    /// @dev What a fill is to an account without (§5.3): whatever it makes of the size, through zero as well.
    /// @param party The account, with its fills and this one
    /// @return longs As above
    function weigh(Party memory party, int256 size) private pure returns (int256 longs) {
        // Sums of sizes below 2^63.
        unchecked {
            int256 afterwards = party.state.signedSize() + party.fills.size;
            int256 before = afterwards - size;
            longs = SignedMath.max(afterwards, 0) - SignedMath.max(before, 0);
            bool crosses = afterwards != 0 && (afterwards > 0) != (before > 0);
            party.reduces = !crosses && SignedMath.abs(afterwards) < SignedMath.abs(before);
        }
    }

    /// @dev The fee of a signer, paid at once (§9.4): the taker fee at the latest price, of it the referral share to the
    ///      originator, who leaves a share to the solver.
    /// @return rest What joins the version's position fees, USD with 6 decimals
    function charge(MarketStorage storage $, Party memory party, int256 amount, int256 latest)
        private
        returns (uint256 rest)
    {
        if (!party.signed) return 0;
        // A size of 2^63 at 10^17 USD, times 24 bits; shares are at most one.
        uint256 referral;
        uint256 solving;
        unchecked {
            uint256 units = SignedMath.abs(amount) * $.order.takerFee();
            rest = Rounding.ceilDiv(units * SignedMath.abs(latest), 1e12);
            party.state.collateral -= int256(rest);
            if (party.originator == address(0)) return rest;
            referral = rest * $.fees.referralFee() / 1e6;
            if (party.solver != address(0)) solving = referral * party.solverShare / 1e6;
        }
        Accounts.credit($, party.originator, party.account, referral - solving, 0);
        Accounts.credit($, party.solver, party.account, solving, 0);
        rest -= referral;
    }

    /// @dev The market's side: both taker sides change alike, at the current version.
    /// @param exchanged Change of long and of short size alike
    /// @param fees What joins the version's position fees
    /// @param reduces Whether both accounts get smaller: then no limit is asked, closed or not
    function enqueue(MarketStorage storage $, PriceFeed memory feed, int256 exchanged, uint256 fees, bool reduces)
        private
    {
        SettledBook memory book = BookStorage.loadSettled($.book);
        uint256 word = $.pendingBook;
        Book memory sizes;
        BookStorage.loadSizes(sizes, word);
        if (exchanged > 0) {
            // casts: positive
            Orders.checkSize(book.sizes.major(), uint256(exchanged));
            Orders.checkSize(sizes.major(), uint256(exchanged));
        }
        // casts: an account closes no more than its own part of a side
        sizes.long = uint256(int256(sizes.long) + exchanged);
        sizes.short = uint256(int256(sizes.short) + exchanged);
        if (!reduces) {
            if ($.fees.closed()) revert IMarketErrors.MarketClosed();
            Orders.checkIncrease($.order, sizes, false);
        }
        bool joins = Queues.joins(book, word, feed, false);
        $.pendingBook = BookStorage.store(sizes, feed.current);

        (QueueEntry storage entry, PendingVersion memory pending) = Queues.openVersion($, book, joins, feed.current);
        if (pending.hasFills) PendingVersionStorage.loadFills(pending, entry.fills);
        pending.hasFills = true;
        pending.exchanged += exchanged;
        pending.fillFees += fees;
        entry.orders = PendingVersionStorage.storeSizes(pending);
        entry.fills = PendingVersionStorage.storeFills(pending);
        if (joins) return;
        ++book.count;
        $.book = BookStorage.store(book);
    }

    /// @dev After an increase the margin of the worst size must be covered, after a reduction its maintenance; a signer may
    ///      ask for more (§9.5).
    function checkMargin(MarketStorage storage $, Party memory party, int256 latest) private view {
        int256 effective = Margin.effectiveCollateral(party.state, party.sums, party.fills, latest);
        uint256 worst = Margin.worstSize(party.state, party.sums, party.fills);
        Margin.check(effective, worst, latest, !party.reduces, $.order, $.margin);
        if (!party.signed) return;

        uint256 required =
            Math.ceilDiv(Math.saturatingMul(worst * SignedMath.abs(latest), party.collateralization), 1e12);
        // casts: a requirement that does not fit is not covered
        if (required > uint256(type(int256).max) || effective < int256(required)) {
            revert IMarketErrors.InsufficientCollateralization(effective, required);
        }
    }
}
