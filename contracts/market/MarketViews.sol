// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { Fixed6 } from "../math/Fixed6.sol";
import { UFixed6 } from "../math/UFixed6.sol";
import { AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState, AccountStateStorage } from "../types/AccountState.sol";
import { AccumulatorStorage, Accumulators } from "../types/Accumulators.sol";
import { Book, BookStorage, SettledBook } from "../types/Book.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { PendingSums, PendingSumsStorage } from "../types/PendingSums.sol";
import { Position } from "../types/Position.sol";
import { Pricing, PricingStorage } from "../types/Pricing.sol";
import { RiskParameter } from "../types/RiskParameter.sol";
import { Side } from "../types/Side.sol";
import { VersionStorage } from "../types/Version.sol";
import { ClaimableFees, Fees } from "./Fees.sol";
import { Fills, PendingFills } from "./Fills.sol";
import { Margin } from "./Margin.sol";
import { Account, MarketStorage, marketStorage } from "./MarketStorage.sol";
import { Parameters } from "./Parameters.sol";
import { Rewards } from "./Rewards.sol";
import { SettlementFees } from "./SettlementFees.sol";

/// @title Views of a market, as of its last settlement
/// @notice See IMarket.
abstract contract MarketViews {
    // -- What the market is ------------------------------------------------------------------------------------------

    /// @notice See IMarket.token.
    function token() external view returns (address) {
        return lowAddress(marketStorage().token);
    }

    /// @notice See IMarket.reward.
    function reward() external view returns (address) {
        return lowAddress(marketStorage().reward);
    }

    /// @notice See IMarket.oracle.
    function oracle() external view returns (address) {
        return marketStorage().config.oracle();
    }

    /// @notice See IMarket.payoff.
    function payoff() external view returns (address) {
        return marketStorage().payoff;
    }

    /// @notice See IMarket.coordinator.
    function coordinator() external view returns (address) {
        return marketStorage().coordinator;
    }

    /// @notice See IMarket.beneficiary.
    function beneficiary() external view returns (address) {
        return marketStorage().beneficiary;
    }

    /// @notice See IMarket.riskParameter.
    function riskParameter() external view returns (RiskParameter memory) {
        return Parameters.loadRisk(marketStorage());
    }

    /// @notice See IMarket.parameter.
    function parameter() external view returns (MarketParameter memory) {
        return Parameters.loadMarket(marketStorage());
    }

    // -- Sizes -------------------------------------------------------------------------------------------------------

    /// @notice See IMarket.position.
    function position() external view returns (Position memory) {
        SettledBook memory book = BookStorage.loadSettled(marketStorage().book);
        return toPosition(book.sizes, book.timestamp);
    }

    /// @notice See IMarket.positions.
    function positions(address account) external view returns (Position memory) {
        MarketStorage storage $ = marketStorage();
        Account storage self = $.accounts[account];
        AccountState memory state = stateOf(self);
        uint256 timestamp = settledVersion($);
        if (state.count != 0) {
            uint256 oldest = AccountOrderStorage.timestampOf(self.orders[state.head].sizes);
            if (oldest < timestamp) timestamp = oldest;
        }
        return sidePosition(state.side, state.size, timestamp);
    }

    /// @notice See IMarket.pendingPosition.
    function pendingPosition() external view returns (Position memory) {
        MarketStorage storage $ = marketStorage();
        SettledBook memory book = BookStorage.loadSettled($.book);
        uint256 word = $.pendingBook;
        Book memory sizes;
        BookStorage.loadSizes(sizes, word);
        return toPosition(sizes, book.count == 0 ? book.timestamp : BookStorage.timestampOf(word));
    }

    /// @notice See IMarket.pendingPositions.
    function pendingPositions(address account) external view returns (Position memory) {
        MarketStorage storage $ = marketStorage();
        Account storage self = $.accounts[account];
        (AccountState memory state, PendingSums memory sums, PendingFills memory fills) = load(self);
        uint256 timestamp = settledVersion($);
        if (state.count != 0) {
            uint256 newest = (state.head + state.count - 1) & type(uint16).max;
            timestamp = AccountOrderStorage.timestampOf(self.orders[newest].sizes);
        }
        uint256 size = state.size + sums.opens - sums.closes;
        if (fills.side == Side.None) return sidePosition(state.side, size, timestamp);
        // casts: sizes are below 2^64
        int256 signed = (fills.side == Side.Long ? int256(size) : -int256(size)) + fills.size;
        return sidePosition(signed > 0 ? Side.Long : Side.Short, SignedMath.abs(signed), timestamp);
    }

    /// @notice See IMarket.latestVersion.
    function latestVersion()
        external
        view
        returns (uint256 timestamp, bool valid, int256 maker, int256 long, int256 short)
    {
        MarketStorage storage $ = marketStorage();
        (maker, long, short) = perUnit($.accumulators);
        return (settledVersion($), PricingStorage.valid($.pricing), maker, long, short);
    }

    /// @notice See IMarket.versions.
    function versions(uint256 timestamp) external view returns (bool valid, int256 maker, int256 long, int256 short) {
        uint256 word = marketStorage().versions[timestamp];
        (maker, long, short) = perUnit(word);
        return (VersionStorage.valid(word), maker, long, short);
    }

    /// @notice See IMarket.pendingCount.
    function pendingCount() external view returns (uint256) {
        return BookStorage.loadSettled(marketStorage().book).count;
    }

    /// @notice See IMarket.pendingCounts.
    function pendingCounts(address account) external view returns (uint256) {
        return stateOf(marketStorage().accounts[account]).count;
    }

    // -- Money -------------------------------------------------------------------------------------------------------

    /// @notice See IMarket.collateral.
    function collateral(address account) external view returns (Fixed6) {
        return Fixed6.wrap(stateOf(marketStorage().accounts[account]).collateral);
    }

    /// @notice See IMarket.requirement.
    function requirement(address account)
        public
        view
        returns (Fixed6 effectiveCollateral, UFixed6 margin, UFixed6 maintenance)
    {
        MarketStorage storage $ = marketStorage();
        (AccountState memory state, PendingSums memory sums, PendingFills memory fills) = load($.accounts[account]);
        int256 latest = PricingStorage.price($.pricing);
        effectiveCollateral = Fixed6.wrap(Margin.effectiveCollateral(state, sums, fills, latest));
        margin = UFixed6.wrap(Margin.margin(Margin.worstSize(state, sums, fills), latest, $.order, $.margin));
        maintenance = UFixed6.wrap(Margin.maintenance(state.size, latest, $.order, $.margin));
    }

    /// @notice See IMarket.liquidatable.
    function liquidatable(address account) external view returns (bool) {
        AccountState memory state = stateOf(marketStorage().accounts[account]);
        if (state.size == 0 && state.count == 0) return false;
        (Fixed6 effective,, UFixed6 maintenance) = requirement(account);
        // casts: requirements are below 2^150
        return effective.raw() < int256(maintenance.raw());
    }

    /// @notice See IMarket.locked.
    function locked(address account) external view returns (bool) {
        return stateOf(marketStorage().accounts[account]).locked;
    }

    /// @notice See IMarket.claimable.
    function claimable(address account) external view returns (UFixed6) {
        return UFixed6.wrap(marketStorage().accounts[account].claimable);
    }

    /// @notice See IMarket.rewards.
    function rewards(address account) external view returns (UFixed6) {
        return UFixed6.wrap(marketStorage().accounts[account].rewards >> Rewards.BITS);
    }

    /// @notice See IMarket.fees.
    function fees() external view returns (UFixed6, UFixed6, UFixed6, UFixed6) {
        MarketStorage storage $ = marketStorage();
        ClaimableFees memory split = Fees.afterSplit(Fees.load($.claimableFees), PricingStorage.load($.pricing), $.fees);
        return (
            UFixed6.wrap(split.protocol),
            UFixed6.wrap(split.oracle),
            UFixed6.wrap(split.risk),
            UFixed6.wrap(split.donation)
        );
    }

    /// @notice See IMarket.settlementFees.
    function settlementFees(uint256 version) external view returns (UFixed6) {
        MarketStorage storage $ = marketStorage();
        uint256 count = VersionStorage.feeCount($.versions[version]);
        if (count == VersionStorage.EXPLICIT) return UFixed6.wrap($.explicitSettlementFees[version]);
        return UFixed6.wrap(count == 0 ? 0 : count * SettlementFees.at($, $.config, $.fees, version));
    }

    /// @notice See IMarket.settlementFeesTotal.
    function settlementFeesTotal() external view returns (UFixed6) {
        return UFixed6.wrap(marketStorage().totals >> 128);
    }

    /// @notice See IMarket.shortfall.
    function shortfall() external view returns (UFixed6) {
        return UFixed6.wrap(marketStorage().totals & type(uint128).max);
    }

    /// @notice See IMarket.fundingRate.
    function fundingRate() external view returns (Fixed6) {
        Pricing memory pricing = PricingStorage.load(marketStorage().pricing);
        return Fixed6.wrap(pricing.fundingRate / 1e6);
    }

    /// @notice See IMarket.price.
    function price() external view returns (Fixed6) {
        return Fixed6.wrap(PricingStorage.price(marketStorage().pricing));
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev Version that the market is settled to.
    function settledVersion(MarketStorage storage $) internal view returns (uint256) {
        return BookStorage.timestampOf($.book);
    }

    function load(Account storage self)
        private
        view
        returns (AccountState memory state, PendingSums memory sums, PendingFills memory fills)
    {
        state = stateOf(self);
        if (state.ordered) PendingSumsStorage.load(sums, self.pending);
        Fills.pending(fills, self, state);
    }

    function stateOf(Account storage self) private view returns (AccountState memory state) {
        AccountStateStorage.load(state, self.state);
    }

    function sidePosition(Side side, uint256 size, uint256 timestamp) private pure returns (Position memory) {
        Book memory sizes;
        if (size != 0) sizes.add(side, size);
        return toPosition(sizes, timestamp);
    }

    function toPosition(Book memory sizes, uint256 timestamp) private pure returns (Position memory) {
        return Position(timestamp, UFixed6.wrap(sizes.maker), UFixed6.wrap(sizes.long), UFixed6.wrap(sizes.short));
    }

    function perUnit(uint256 word) private pure returns (int256, int256, int256) {
        Accumulators memory sums = AccumulatorStorage.load(word);
        return (sums.maker, sums.long, sums.short);
    }

    function lowAddress(uint256 word) private pure returns (address) {
        // casts: the lowest 160 bits are the address
        return address(uint160(word));
    }
}
