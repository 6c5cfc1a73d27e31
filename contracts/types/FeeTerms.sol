// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketParameter } from "./MarketParameter.sol";
import { RiskParameter } from "./RiskParameter.sol";

/// @notice Market parameters that settlement needs, and two risk parameters that fit beside (slot M0).
/// @dev Shares have 6 decimals, fees are USD with 6 decimals.
// | fundingFee, interestFee, positionFee, oracleFee, riskFee, referralFee 24 each | settlementFee 48 | maxPriceDeviation 24 |
// | takerCloseAlways, makerCloseAlways, closed 1 each | targetUtilization 24 | makerReceiveOnly 1 | 12 unused |
type FeeTerms is uint256;

using {
    fundingFee,
    interestFee,
    positionFee,
    oracleFee,
    riskFee,
    referralFee,
    settlementFee,
    maxPriceDeviation,
    takerCloseAlways,
    makerCloseAlways,
    closed,
    targetUtilization,
    makerReceiveOnly
} for FeeTerms global;

/// @return Share of funding that the market keeps
function fundingFee(FeeTerms self) pure returns (uint256) {
    return FeeTerms.unwrap(self) & type(uint24).max;
}

/// @return Share of interest that the market keeps
function interestFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 24) & type(uint24).max;
}

/// @return Share of position fees that the market keeps
function positionFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 48) & type(uint24).max;
}

/// @return Share of the market fee that goes to the oracle
function oracleFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 72) & type(uint24).max;
}

/// @return Share of the market fee that goes to the coordinator
function riskFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 96) & type(uint24).max;
}

/// @return Share of a position fee that goes to the referrer
function referralFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 120) & type(uint24).max;
}

/// @return Charge per account and version
function settlementFee(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 144) & type(uint48).max;
}

/// @return How far an intent may be priced from the latest price
function maxPriceDeviation(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 192) & type(uint24).max;
}

/// @return Whether takers may always close
function takerCloseAlways(FeeTerms self) pure returns (bool) {
    return (FeeTerms.unwrap(self) >> 216) & 1 == 1;
}

/// @return Whether makers may always close
function makerCloseAlways(FeeTerms self) pure returns (bool) {
    return (FeeTerms.unwrap(self) >> 217) & 1 == 1;
}

/// @return Whether the market is closed
function closed(FeeTerms self) pure returns (bool) {
    return (FeeTerms.unwrap(self) >> 218) & 1 == 1;
}

/// @return Where the curve of interest bends
function targetUtilization(FeeTerms self) pure returns (uint256) {
    return (FeeTerms.unwrap(self) >> 219) & type(uint24).max;
}

/// @return Whether makers never pay funding
function makerReceiveOnly(FeeTerms self) pure returns (bool) {
    return (FeeTerms.unwrap(self) >> 243) & 1 == 1;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packFeeTerms(MarketParameter memory market, RiskParameter memory risk) pure returns (FeeTerms) {
    uint256 shares = market.fundingFee.raw() | market.interestFee.raw() << 24 | market.positionFee.raw() << 48
        | market.oracleFee.raw() << 72 | market.riskFee.raw() << 96 | market.referralFee.raw() << 120;
    uint256 flags = (market.takerCloseAlways ? 1 << 216 : 0) | (market.makerCloseAlways ? 1 << 217 : 0)
        | (market.closed ? 1 << 218 : 0) | (risk.makerReceiveOnly ? 1 << 243 : 0);
    return FeeTerms.wrap(
        shares | market.settlementFee.raw() << 144 | market.maxPriceDeviation.raw() << 192 | flags
            | risk.utilizationCurve.targetUtilization.raw() << 219
    );
}
