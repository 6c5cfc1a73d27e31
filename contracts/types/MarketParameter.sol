// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UFixed6 } from "../math/UFixed6.sol";

/// @notice What the factory's owner sets, with initial values by the creator (docs/protocol.md §4.2, which has the bounds).
/// @param fundingFee Share of funding that the market keeps, 6 decimals
/// @param interestFee Share of interest that the market keeps, 6 decimals
/// @param positionFee Share of position fees that the market keeps, 6 decimals
/// @param oracleFee Share of the market's fees that goes to the oracle, 6 decimals
/// @param riskFee Share of the market's fees that goes to the coordinator, 6 decimals
/// @param settlementFee Charge per account and version with an order, USD with 6 decimals
/// @param maxPendingGlobal Unsettled versions that the market may have
/// @param maxPendingLocal Unsettled versions that an account may have
/// @param makerRewardRate Reward tokens a second to all makers, 6 decimals
/// @param longRewardRate Reward tokens a second to all longs, 6 decimals
/// @param shortRewardRate Reward tokens a second to all shorts, 6 decimals
/// @param referralFee Share of a position fee that goes to the order's referrer, 6 decimals
/// @param maxPriceDeviation How far an intent's price may be from the latest price, as a share of it, 6 decimals
/// @param takerCloseAlways Whether takers may close even where that leaves takers uncovered
/// @param makerCloseAlways Whether makers may close even where that leaves takers uncovered
/// @param closed Whether positions may only shrink and nothing accrues
struct MarketParameter {
    UFixed6 fundingFee;
    UFixed6 interestFee;
    UFixed6 positionFee;
    UFixed6 oracleFee;
    UFixed6 riskFee;
    UFixed6 settlementFee;
    uint256 maxPendingGlobal;
    uint256 maxPendingLocal;
    UFixed6 makerRewardRate;
    UFixed6 longRewardRate;
    UFixed6 shortRewardRate;
    UFixed6 referralFee;
    UFixed6 maxPriceDeviation;
    bool takerCloseAlways;
    bool makerCloseAlways;
    bool closed;
}
