// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RiskParameter } from "./RiskParameter.sol";

/// @notice Risk parameters of margin and liquidation (slot RC).
/// @dev Amounts are USD with 6 decimals.
// | minMargin 48 | minMaintenance 48 | minLiquidationFee 48 | maxLiquidationFee 48 | liquidationFee 24 | staleAfter 32 | 8 unused |
type MarginTerms is uint256;

using {
    minMargin,
    minMaintenance,
    minLiquidationFee,
    maxLiquidationFee,
    liquidationFee,
    staleAfter
} for MarginTerms global;

/// @return Least margin of an account with a position
function minMargin(MarginTerms self) pure returns (uint256) {
    return MarginTerms.unwrap(self) & type(uint48).max;
}

/// @return Least maintenance of an account with a position
function minMaintenance(MarginTerms self) pure returns (uint256) {
    return (MarginTerms.unwrap(self) >> 48) & type(uint48).max;
}

/// @return Least liquidation fee
function minLiquidationFee(MarginTerms self) pure returns (uint256) {
    return (MarginTerms.unwrap(self) >> 96) & type(uint48).max;
}

/// @return Largest liquidation fee
function maxLiquidationFee(MarginTerms self) pure returns (uint256) {
    return (MarginTerms.unwrap(self) >> 144) & type(uint48).max;
}

/// @return Share of maintenance that the liquidator gets, 6 decimals
function liquidationFee(MarginTerms self) pure returns (uint256) {
    return (MarginTerms.unwrap(self) >> 192) & type(uint24).max;
}

/// @return Seconds between latest and current version after which the price is stale
function staleAfter(MarginTerms self) pure returns (uint256) {
    return (MarginTerms.unwrap(self) >> 216) & type(uint32).max;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packMarginTerms(RiskParameter memory risk) pure returns (MarginTerms) {
    return MarginTerms.wrap(
        risk.minMargin.raw() | risk.minMaintenance.raw() << 48 | risk.minLiquidationFee.raw() << 96
            | risk.maxLiquidationFee.raw() << 144 | risk.liquidationFee.raw() << 192 | risk.staleAfter << 216
    );
}
