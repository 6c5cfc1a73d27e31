// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { IMarketEvents } from "../interfaces/IMarketEvents.sol";
import { Rounding } from "../math/Rounding.sol";
import { AccountOrder, AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState, AccountStateStorage } from "../types/AccountState.sol";
import { AccumulatorStorage } from "../types/Accumulators.sol";
import { BookStorage } from "../types/Book.sol";
import { Liquidation, LiquidationStorage } from "../types/Liquidation.sol";
import { PendingSums, PendingSumsStorage } from "../types/PendingSums.sol";
import { Side } from "../types/Side.sol";
import { VersionStorage } from "../types/Version.sol";
import { Fees } from "./Fees.sol";
import { Account, MarketStorage, OrderEntry } from "./MarketStorage.sol";
import { PriceFeed, Prices } from "./Prices.sol";
import { Rewards } from "./Rewards.sol";
import { SettlementFees } from "./SettlementFees.sol";

/// @title Settlement of an account, up to where the market is settled (docs/protocol.md §5.6)
/// @dev Credits to others go to slots of their own, which no memory copy shadows: roles may fall together.
library Accounts {
    using Prices for PriceFeed;

    /// @notice What a step of settlement charged, for the event; USD with 6 decimals.
    struct Charges {
        int256 accrued;
        uint256 fee;
        uint256 settlementFee;
    }

    /// @notice An account under settlement.
    /// @param feed The oracle's versions
    /// @param account Whose account
    /// @param state The account, moved in memory
    /// @param settledTo Version that the market is settled to
    /// @param units Fee units of the order in hand
    /// @param charges Charges of the step in hand
    struct Settling {
        PriceFeed feed;
        address account;
        AccountState state;
        uint256 settledTo;
        uint256 units;
        Charges charges;
    }

    /// @notice Settles an account in memory: the caller stores it.
    /// @param feed The oracle's versions
    /// @param self The account as stored
    /// @param account Whose account
    /// @param state Becomes the account as of the market's version
    /// @return before Its collateral as stored
    function settle(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage self,
        address account,
        AccountState memory state
    ) internal returns (int256 before) {
        AccountStateStorage.load(state, self.state);
        before = state.collateral;
        if (state.count == 0 && state.size == 0 && !state.locked) return before;

        Charges memory charges;
        Settling memory settling = Settling(feed, account, state, BookStorage.timestampOf($.book), 0, charges);
        if (state.count != 0) settleOrders($, self, settling);
        if (state.size != 0) catchUp($, self, settling);
        if (state.locked && LiquidationStorage.load(self.liquidation).timestamp <= settling.settledTo) {
            state.locked = false;
        }
        // What is checked is what will be stored.
        state.collateral = AccountStateStorage.bound(state.collateral);
    }

    /// @notice Reverts while a liquidation of the account waits for its version (§10.5).
    function checkLock(Account storage self, AccountState memory state, address account) internal view {
        if (!state.locked) return;
        revert IMarketErrors.AccountLocked(account, LiquidationStorage.load(self.liquidation).timestamp);
    }

    /// @notice Stores an account, and what it owes the market in the shortfall.
    /// @param self Where
    /// @param state What
    /// @param before Collateral that is stored now
    function store(MarketStorage storage $, Account storage self, AccountState memory state, int256 before) internal {
        self.state = AccountStateStorage.store(state);
        int256 collateral = AccountStateStorage.bound(state.collateral);
        if (before >= 0 && collateral >= 0) return;
        // The lower half of `totals` is the shortfall: it holds `before`'s part.
        // casts: negated negative numbers of 64 bits
        $.totals = $.totals + uint256(-SignedMath.min(collateral, 0)) - uint256(-SignedMath.min(before, 0));
    }

    /// @dev Pending orders whose versions the market has settled, oldest first.
    function settleOrders(MarketStorage storage $, Account storage self, Settling memory settling) private {
        AccountState memory state = settling.state;
        PendingSums memory settled;
        uint256 count = state.count;
        while (state.count != 0) {
            OrderEntry storage entry = self.orders[state.head];
            uint256 sizes = entry.sizes;
            if (AccountOrderStorage.timestampOf(sizes) > settling.settledTo) break;
            AccountOrder memory order;
            AccountOrderStorage.loadSizes(order, sizes);
            loadTerms($, settling.feed, entry, order);
            if (order.hasFills) AccountOrderStorage.loadFills(order, entry.fills);
            settling.units = order.units();
            settled.add(order.opened, order.closed, settling.units, order.settlementFee);

            uint256 version = $.versions[order.timestamp];
            bool valid = VersionStorage.valid(version);
            if (!valid && order.hasOrders()) {
                emit IMarketEvents.OrderCancelled(settling.account, order.timestamp);
                (order.opened, order.closed, order.settlementFee, order.referralShare) = (0, 0, 0, 0);
                settling.units = 0;
            }
            if (valid || order.hasFills) settleOrder($, self, settling, order, version);

            unchecked {
                --state.count;
                state.head = state.count == 0 ? 0 : (state.head + 1) & type(uint16).max;
            }
        }
        if (state.count == 0) {
            state.ordered = false;
            state.filled = false;
            return;
        }
        if (state.count == count || !state.ordered) return;
        PendingSums memory sums;
        PendingSumsStorage.load(sums, self.pending);
        sums.sub(settled);
        self.pending = PendingSumsStorage.store(sums);
    }

    /// @dev The referrer and settlement fee of an order, where it stores them; else the version's settlement fee.
    function loadTerms(
        MarketStorage storage $,
        PriceFeed memory feed,
        OrderEntry storage entry,
        AccountOrder memory order
    ) internal view {
        if (order.hasTerms) {
            AccountOrderStorage.loadTerms(order, entry.terms);
        } else if (order.hasOrders()) {
            order.settlementFee = SettlementFees.at($, feed.config, $.fees, order.timestamp);
        }
    }

    /// @dev One order at its valid version. Charged in this order (§10.5): PnL, funding and interest, position fee,
    ///      settlement fee, liquidation fee.
    function settleOrder(
        MarketStorage storage $,
        Account storage self,
        Settling memory settling,
        AccountOrder memory order,
        uint256 version
    ) private {
        AccountState memory state = settling.state;
        Charges memory charges = settling.charges;
        charges.accrued = accrue(state, version);
        if (settling.feed.config.hasRewards()) {
            Rewards.settle(self, $.versionRewards[order.timestamp], state.side, state.size);
        }

        int256 price;
        if (VersionStorage.valid(version)) (price,) = settling.feed.at($, order.timestamp);
        else price = $.carriedPrices[order.timestamp];
        uint256 magnitude = SignedMath.abs(price);
        charges.settlementFee = order.settlementFee;
        // Units are below 2^86, prices below 2^57.
        unchecked {
            // The guaranteed price: what the version's price makes of it is gained or lost at once (§9.3).
            if (order.hasFills) {
                int256 guarantee = Rounding.floorDiv(order.fillSize * price - order.fillNotional, 1e6);
                charges.accrued += guarantee;
                state.collateral += guarantee;
            }
            charges.fee = Rounding.ceilDiv(settling.units * magnitude, 1e12);
            state.collateral -= int256(charges.fee + charges.settlementFee);
            if (order.referralShare != 0) {
                credit($, order.referrer, settling.account, order.referralUnits() * magnitude / 1e12, 0);
            }
        }
        // Fills stand where the close is cancelled: without a close no fee.
        if (state.locked && VersionStorage.valid(version)) payLiquidator($, self, settling, order.timestamp);
        state.size = state.size + order.opened - order.closed;
        if (order.hasFills) settleFills($, self, settling, order, version);
        emitSettled(settling, order.timestamp);
    }

    /// @dev Fills change a taker's size, and may turn its side.
    function settleFills(
        MarketStorage storage $,
        Account storage self,
        Settling memory settling,
        AccountOrder memory order,
        uint256 version
    ) private {
        AccountState memory state = settling.state;
        // Fills that net to nothing leave a maker alone, who may have come since.
        if (order.fillSize != 0) {
            int256 size = state.signedSize() + order.fillSize;
            state.size = SignedMath.abs(size);
            if (size != 0) state.side = size > 0 ? Side.Long : Side.Short;
        }
        state.accumulator = AccumulatorStorage.ofSide(version, state.side);
        if (settling.feed.config.hasRewards()) Rewards.settle(self, $.versionRewards[order.timestamp], state.side, 0);
    }

    /// @dev From the account's last settlement to the market's version.
    function catchUp(MarketStorage storage $, Account storage self, Settling memory settling) private {
        AccountState memory state = settling.state;
        if (settling.feed.config.hasRewards()) Rewards.settle(self, $.rewardAccumulators, state.side, state.size);
        uint256 accumulators = $.accumulators;
        if (AccumulatorStorage.ofSide(accumulators, state.side) == state.accumulator) return;
        settling.charges = Charges(accrue(state, accumulators), 0, 0);
        emitSettled(settling, settling.settledTo);
    }

    /// @dev What the size gained, rounded down (§1.4), and its accumulator moved.
    function accrue(AccountState memory state, uint256 accumulators) private pure returns (int256 accrued) {
        int256 accumulator = AccumulatorStorage.ofSide(accumulators, state.side);
        // Sizes are below 2^63, differences of accumulators below 2^80.
        unchecked {
            accrued = Rounding.floorDiv(int256(state.size) * (accumulator - state.accumulator), 1e12);
            state.collateral += accrued;
        }
        state.accumulator = accumulator;
    }

    /// @dev The liquidation fee, if its order is the one that settles: from the account as far as it has, then from the
    ///      donation as far as that has (§10.5).
    function payLiquidator(MarketStorage storage $, Account storage self, Settling memory settling, uint256 timestamp)
        private
    {
        Liquidation memory liquidation = LiquidationStorage.load(self.liquidation);
        if (liquidation.timestamp != timestamp || liquidation.fee == 0) return;

        // casts: not negative
        uint256 fromAccount = Math.min(liquidation.fee, uint256(SignedMath.max(settling.state.collateral, 0)));
        settling.state.collateral -= int256(fromAccount);
        uint256 fromDonation = fromAccount == liquidation.fee ? 0 : Fees.takeDonation($, liquidation.fee - fromAccount);
        credit($, liquidation.liquidator, settling.account, fromAccount + fromDonation, fromDonation);
    }

    /// @notice Credits an account, in a slot of its own that no copy in memory shadows: it may be one that is in hand.
    /// @param source Whose order or fill it comes from
    /// @param fromDonation Part of it that the donation paid
    function credit(MarketStorage storage $, address to, address source, uint256 amount, uint256 fromDonation)
        internal
    {
        if (amount == 0) return;
        $.accounts[to].claimable += amount;
        emit IMarketEvents.Credited(to, source, amount, fromDonation);
    }

    function emitSettled(Settling memory settling, uint256 version) private {
        Charges memory charges = settling.charges;
        emit IMarketEvents.AccountSettled(
            settling.account,
            version,
            charges.accrued,
            charges.fee,
            charges.settlementFee,
            settling.state.collateral,
            settling.state.size
        );
    }
}
