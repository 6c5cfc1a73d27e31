// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RiskParameter } from "./RiskParameter.sol";

/// @notice Risk parameters of funding and interest (slot RA).
/// @dev Rates are per year with 6 decimals.
// | virtualTaker 64 | k 48 | max 32 | minRate 32 | targetRate 32 | maxRate 32 | 16 unused |
type AccrualTerms is uint256;

using { virtualTaker, k, max, minRate, targetRate, maxRate } for AccrualTerms global;

/// @return Size added to both taker sides where skew is computed
function virtualTaker(AccrualTerms self) pure returns (uint256) {
    return AccrualTerms.unwrap(self) & type(uint64).max;
}

/// @return Seconds of the controller, 6 decimals
function k(AccrualTerms self) pure returns (uint256) {
    return (AccrualTerms.unwrap(self) >> 64) & type(uint48).max;
}

/// @return Bound of the funding rate
function max(AccrualTerms self) pure returns (uint256) {
    return (AccrualTerms.unwrap(self) >> 112) & type(uint32).max;
}

/// @return Interest at utilization 0
function minRate(AccrualTerms self) pure returns (uint256) {
    return (AccrualTerms.unwrap(self) >> 144) & type(uint32).max;
}

/// @return Interest at the target utilization
function targetRate(AccrualTerms self) pure returns (uint256) {
    return (AccrualTerms.unwrap(self) >> 176) & type(uint32).max;
}

/// @return Interest at utilization 1
function maxRate(AccrualTerms self) pure returns (uint256) {
    return (AccrualTerms.unwrap(self) >> 208) & type(uint32).max;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packAccrualTerms(RiskParameter memory risk) pure returns (AccrualTerms) {
    return AccrualTerms.wrap(
        risk.virtualTaker.raw() | risk.pController.k.raw() << 64 | risk.pController.max.raw() << 112
            | risk.utilizationCurve.minRate.raw() << 144 | risk.utilizationCurve.targetRate.raw() << 176
            | risk.utilizationCurve.maxRate.raw() << 208
    );
}
