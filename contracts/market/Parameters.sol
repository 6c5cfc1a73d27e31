// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UFixed6 } from "../math/UFixed6.sol";
import { AccrualTerms, packAccrualTerms } from "../types/AccrualTerms.sol";
import { BookStorage } from "../types/Book.sol";
import { FeeTerms, packFeeTerms } from "../types/FeeTerms.sol";
import { MarginTerms, packMarginTerms } from "../types/MarginTerms.sol";
import { MarketConfig, packMarketConfig } from "../types/MarketConfig.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { OrderTerms, packOrderTerms } from "../types/OrderTerms.sol";
import { RewardRates, packRewardRates } from "../types/RewardRates.sol";
import { PController, RiskParameter, UtilizationCurve } from "../types/RiskParameter.sol";
import { MarketStorage } from "./MarketStorage.sol";
import { SettlementFees } from "./SettlementFees.sol";

/// @title Parameters: from their structs to six slots and back (docs/protocol.md §4)
/// @dev Two risk parameters share a slot with market parameters, so that settlement reads one less: whoever stores one
///      struct hands over the other as it is.
library Parameters {
    /// @notice Stores both for a new market.
    function store(
        MarketStorage storage $,
        address oracle,
        bool hasPayoff,
        RiskParameter memory risk,
        MarketParameter memory market
    ) internal {
        $.config = packMarketConfig(
            oracle, market.maxPendingGlobal, market.maxPendingLocal, hasPayoff, rewarding(market), 0
        );
        if (rewarding(market)) $.rewardRates = packRewardRates(market);
        storeRisk($, risk, market);
    }

    /// @notice Stores risk parameters.
    function storeRisk(MarketStorage storage $, RiskParameter memory risk, MarketParameter memory market) internal {
        $.fees = packFeeTerms(market, risk);
        $.accrual = packAccrualTerms(risk);
        $.order = packOrderTerms(risk);
        $.margin = packMarginTerms(risk);
    }

    /// @notice Stores market parameters. Once a market has had rewards it goes on keeping their accumulators.
    function storeMarket(MarketStorage storage $, MarketParameter memory market, RiskParameter memory risk) internal {
        MarketConfig config = $.config;
        bool hasRewards = config.hasRewards() || rewarding(market);
        uint256 feeSince = config.feeSince();
        uint256 oldFee = $.fees.settlementFee();
        if (market.settlementFee.raw() != oldFee) {
            feeSince = newestVersion($);
            SettlementFees.record($, feeSince, oldFee, market.settlementFee.raw());
        }
        $.config = packMarketConfig(
            config.oracle(), market.maxPendingGlobal, market.maxPendingLocal, config.hasPayoff(), hasRewards, feeSince
        );
        if (hasRewards) $.rewardRates = packRewardRates(market);
        $.fees = packFeeTerms(market, risk);
    }

    /// @dev Newest pending version, or the settled one without any.
    function newestVersion(MarketStorage storage $) private view returns (uint256) {
        uint256 book = $.book;
        return BookStorage.timestampOf(BookStorage.loadSettled(book).count == 0 ? book : $.pendingBook);
    }

    /// @notice Reads market parameters.
    function loadMarket(MarketStorage storage $) internal view returns (MarketParameter memory market) {
        FeeTerms fees = $.fees;
        market.fundingFee = UFixed6.wrap(fees.fundingFee());
        market.interestFee = UFixed6.wrap(fees.interestFee());
        market.positionFee = UFixed6.wrap(fees.positionFee());
        market.oracleFee = UFixed6.wrap(fees.oracleFee());
        market.riskFee = UFixed6.wrap(fees.riskFee());
        market.settlementFee = UFixed6.wrap(fees.settlementFee());
        market.maxPendingGlobal = $.config.maxPendingGlobal();
        market.maxPendingLocal = $.config.maxPendingLocal();
        RewardRates rates = $.rewardRates;
        market.makerRewardRate = UFixed6.wrap(rates.makerRate());
        market.longRewardRate = UFixed6.wrap(rates.longRate());
        market.shortRewardRate = UFixed6.wrap(rates.shortRate());
        market.referralFee = UFixed6.wrap(fees.referralFee());
        market.maxPriceDeviation = UFixed6.wrap(fees.maxPriceDeviation());
        market.takerCloseAlways = fees.takerCloseAlways();
        market.makerCloseAlways = fees.makerCloseAlways();
        market.closed = fees.closed();
    }

    /// @notice Reads risk parameters.
    function loadRisk(MarketStorage storage $) internal view returns (RiskParameter memory risk) {
        FeeTerms fees = $.fees;
        AccrualTerms accrual = $.accrual;
        OrderTerms order = $.order;
        MarginTerms margin = $.margin;
        risk.margin = UFixed6.wrap(order.margin());
        risk.maintenance = UFixed6.wrap(order.maintenance());
        risk.takerFee = UFixed6.wrap(order.takerFee());
        risk.takerSkewFee = UFixed6.wrap(order.takerSkewFee());
        risk.takerImpactFee = UFixed6.wrap(order.takerImpactFee());
        risk.makerFee = UFixed6.wrap(order.makerFee());
        risk.makerImpactFee = UFixed6.wrap(order.makerImpactFee());
        risk.makerLimit = UFixed6.wrap(order.makerLimit());
        risk.efficiencyLimit = UFixed6.wrap(order.efficiencyLimit());
        risk.liquidationFee = UFixed6.wrap(margin.liquidationFee());
        risk.minLiquidationFee = UFixed6.wrap(margin.minLiquidationFee());
        risk.maxLiquidationFee = UFixed6.wrap(margin.maxLiquidationFee());
        risk.utilizationCurve = UtilizationCurve(
            UFixed6.wrap(accrual.minRate()),
            UFixed6.wrap(accrual.targetRate()),
            UFixed6.wrap(accrual.maxRate()),
            UFixed6.wrap(fees.targetUtilization())
        );
        risk.pController = PController(UFixed6.wrap(accrual.k()), UFixed6.wrap(accrual.max()));
        risk.minMargin = UFixed6.wrap(margin.minMargin());
        risk.minMaintenance = UFixed6.wrap(margin.minMaintenance());
        risk.virtualTaker = UFixed6.wrap(accrual.virtualTaker());
        risk.staleAfter = margin.staleAfter();
        risk.makerReceiveOnly = fees.makerReceiveOnly();
    }

    /// @dev Whether any side gets rewards.
    function rewarding(MarketParameter memory market) private pure returns (bool) {
        return (market.makerRewardRate.raw() | market.longRewardRate.raw() | market.shortRewardRate.raw()) != 0;
    }
}
