// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RiskParameter } from "./RiskParameter.sol";

/// @notice Risk parameters that an order needs (slot RB).
/// @dev Ratios and rates have 6 decimals.
// | margin, maintenance, takerFee, takerSkewFee, takerImpactFee, makerFee, makerImpactFee, efficiencyLimit 24 each | makerLimit 48 | 16 unused |
type OrderTerms is uint256;

using {
    margin,
    maintenance,
    takerFee,
    takerSkewFee,
    takerImpactFee,
    makerFee,
    makerImpactFee,
    efficiencyLimit,
    makerLimit
} for OrderTerms global;

/// @return Margin ratio
function margin(OrderTerms self) pure returns (uint256) {
    return OrderTerms.unwrap(self) & type(uint24).max;
}

/// @return Maintenance ratio
function maintenance(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 24) & type(uint24).max;
}

/// @return Fee rate of takers
function takerFee(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 48) & type(uint24).max;
}

/// @return Fee rate per change of skew
function takerSkewFee(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 72) & type(uint24).max;
}

/// @return Fee rate per change of |skew|
function takerImpactFee(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 96) & type(uint24).max;
}

/// @return Fee rate of makers
function makerFee(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 120) & type(uint24).max;
}

/// @return Fee rate per change of utilization
function makerImpactFee(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 144) & type(uint24).max;
}

/// @return Makers over the larger taker side, above which takers may increase
function efficiencyLimit(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 168) & type(uint24).max;
}

/// @return Size of makers below which makers may increase
function makerLimit(OrderTerms self) pure returns (uint256) {
    return (OrderTerms.unwrap(self) >> 192) & type(uint48).max;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packOrderTerms(RiskParameter memory risk) pure returns (OrderTerms) {
    return OrderTerms.wrap(
        risk.margin.raw() | risk.maintenance.raw() << 24 | risk.takerFee.raw() << 48 | risk.takerSkewFee.raw() << 72
            | risk.takerImpactFee.raw() << 96 | risk.makerFee.raw() << 120 | risk.makerImpactFee.raw() << 144
            | risk.efficiencyLimit.raw() << 168 | risk.makerLimit.raw() << 192
    );
}
