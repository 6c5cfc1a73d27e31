// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { ProtocolParameter } from "../types/ProtocolParameter.sol";
import { RiskParameter } from "../types/RiskParameter.sol";

/// @title Bounds of every parameter (docs/protocol.md §4), checked at creation and at each change
/// @dev Values are checked as they will be stored: what passes fits its bits and reads back the same.
library ParameterValidation {
    uint256 private constant ONE = 1e6;

    /// @notice Checks the protocol's parameters (§4.3).
    function check(ProtocolParameter memory self) internal pure {
        atMost("maxFee", self.maxFee.raw(), type(uint24).max);
        atMost("maxFeeAbsolute", self.maxFeeAbsolute.raw(), type(uint48).max);
        atMost("maxCut", self.maxCut.raw(), ONE);
        atMost("maxRate", self.maxRate.raw(), type(uint32).max);
        atMost("minMaintenance", self.minMaintenance.raw(), type(uint24).max);
        atMost("minEfficiency", self.minEfficiency.raw(), type(uint24).max);
        atMost("protocolFee", self.protocolFee.raw(), self.maxCut.raw());
    }

    /// @notice Checks risk parameters against the protocol's (§4.1).
    function check(RiskParameter memory self, ProtocolParameter memory protocol) internal pure {
        checkFees(self, protocol.maxFee.raw());
        checkMargin(self, protocol);
        atMost("makerLimit", self.makerLimit.raw(), type(uint48).max);
        atLeast("efficiencyLimit", self.efficiencyLimit.raw(), protocol.minEfficiency.raw());
        atMost("efficiencyLimit", self.efficiencyLimit.raw(), type(uint24).max);

        uint256 maxRate = protocol.maxRate.raw();
        atMost("utilizationCurve.minRate", self.utilizationCurve.minRate.raw(), maxRate);
        atMost("utilizationCurve.targetRate", self.utilizationCurve.targetRate.raw(), maxRate);
        atMost("utilizationCurve.maxRate", self.utilizationCurve.maxRate.raw(), maxRate);
        atMost("utilizationCurve.targetUtilization", self.utilizationCurve.targetUtilization.raw(), ONE);
        atLeast("pController.k", self.pController.k.raw(), 1);
        atMost("pController.k", self.pController.k.raw(), type(uint48).max);
        atMost("pController.max", self.pController.max.raw(), maxRate);
        atMost("virtualTaker", self.virtualTaker.raw(), type(uint64).max);
        atMost("staleAfter", self.staleAfter, type(uint32).max);
    }

    /// @notice Checks market parameters against the protocol's (§4.2).
    /// @param hasReward Whether there is a reward token
    function check(MarketParameter memory self, ProtocolParameter memory protocol, bool hasReward) internal pure {
        uint256 maxCut = protocol.maxCut.raw();
        atMost("fundingFee", self.fundingFee.raw(), maxCut);
        atMost("interestFee", self.interestFee.raw(), maxCut);
        atMost("positionFee", self.positionFee.raw(), maxCut);
        atMost("referralFee", self.referralFee.raw(), maxCut);
        atMost("oracleFee", self.oracleFee.raw(), ONE);
        atMost("riskFee", self.riskFee.raw(), ONE - self.oracleFee.raw());
        atMost("settlementFee", self.settlementFee.raw(), protocol.maxFeeAbsolute.raw());
        atLeast("maxPendingGlobal", self.maxPendingGlobal, 1);
        atMost("maxPendingGlobal", self.maxPendingGlobal, type(uint16).max);
        atLeast("maxPendingLocal", self.maxPendingLocal, 1);
        atMost("maxPendingLocal", self.maxPendingLocal, type(uint16).max);
        uint256 maxReward = hasReward ? type(uint40).max : 0;
        atMost("makerRewardRate", self.makerRewardRate.raw(), maxReward);
        atMost("longRewardRate", self.longRewardRate.raw(), maxReward);
        atMost("shortRewardRate", self.shortRewardRate.raw(), maxReward);
        atMost("maxPriceDeviation", self.maxPriceDeviation.raw(), type(uint24).max);
    }

    function checkFees(RiskParameter memory self, uint256 maxFee) private pure {
        atMost("takerFee", self.takerFee.raw(), maxFee);
        atMost("takerSkewFee", self.takerSkewFee.raw(), maxFee);
        atMost("takerImpactFee", self.takerImpactFee.raw(), maxFee);
        atMost("makerFee", self.makerFee.raw(), maxFee);
        atMost("makerImpactFee", self.makerImpactFee.raw(), maxFee);
    }

    function checkMargin(RiskParameter memory self, ProtocolParameter memory protocol) private pure {
        atLeast("maintenance", self.maintenance.raw(), protocol.minMaintenance.raw());
        atMost("maintenance", self.maintenance.raw(), self.margin.raw());
        atMost("margin", self.margin.raw(), ONE);
        uint256 maxFeeAbsolute = protocol.maxFeeAbsolute.raw();
        atMost("minMargin", self.minMargin.raw(), maxFeeAbsolute);
        atMost("minMaintenance", self.minMaintenance.raw(), self.minMargin.raw());
        atMost("maxLiquidationFee", self.maxLiquidationFee.raw(), maxFeeAbsolute);
        atMost("minLiquidationFee", self.minLiquidationFee.raw(), self.maxLiquidationFee.raw());
        atMost("minLiquidationFee", self.minLiquidationFee.raw(), self.minMaintenance.raw());
        atMost("liquidationFee", self.liquidationFee.raw(), protocol.maxCut.raw());
    }

    function atMost(string memory field, uint256 value, uint256 bound) private pure {
        if (value > bound) revert IMarketFactory.ParameterOutOfBounds(field, value, bound);
    }

    function atLeast(string memory field, uint256 value, uint256 bound) private pure {
        if (value < bound) revert IMarketFactory.ParameterOutOfBounds(field, value, bound);
    }
}
