// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UFixed6 } from "../math/UFixed6.sol";

/// @notice The jump-rate curve of interest (docs/protocol.md §7.3).
/// @param minRate Rate per year at utilization 0, 6 decimals
/// @param targetRate Rate per year at the target utilization, 6 decimals
/// @param maxRate Rate per year at utilization 1, 6 decimals
/// @param targetUtilization Where the curve bends, 6 decimals; at 0 or 1 it has one branch
struct UtilizationCurve {
    UFixed6 minRate;
    UFixed6 targetRate;
    UFixed6 maxRate;
    UFixed6 targetUtilization;
}

/// @notice The proportional controller of funding (docs/protocol.md §7.2).
/// @param k Seconds at skew 1 in which the rate moves by 100 % a year, 6 decimals
/// @param max Bound of the rate per year, both ways, 6 decimals
struct PController {
    UFixed6 k;
    UFixed6 max;
}

/// @notice What the market's coordinator sets (docs/protocol.md §4.1, which has the bounds).
/// @param margin Share of notional that opening or withdrawing must leave, 6 decimals
/// @param maintenance Share of notional below which an account is liquidated, 6 decimals
/// @param takerFee Share of notional that a taker's order pays, 6 decimals
/// @param takerSkewFee Share of notional per unit of |change of skew|, 6 decimals
/// @param takerImpactFee Share of notional per unit of change of |skew|, 6 decimals
/// @param makerFee Share of notional that a maker's order pays, 6 decimals
/// @param makerImpactFee Share of notional per unit of change of utilization, 6 decimals
/// @param makerLimit Size of all makers below which makers may increase, units with 6 decimals
/// @param efficiencyLimit Makers over the larger taker side, above which takers may increase, 6 decimals
/// @param liquidationFee Share of the maintenance of what is closed that goes to the liquidator, 6 decimals
/// @param minLiquidationFee Least liquidation fee, USD with 6 decimals
/// @param maxLiquidationFee Largest liquidation fee, USD with 6 decimals
/// @param utilizationCurve Curve of interest
/// @param pController Controller of funding
/// @param minMargin Least margin of an account with a position, USD with 6 decimals
/// @param minMaintenance Least maintenance of an account with a position, USD with 6 decimals
/// @param virtualTaker Size added to both taker sides where skew is computed, units with 6 decimals
/// @param staleAfter Seconds between the latest and the current version after which sizes are frozen
/// @param makerReceiveOnly Whether funding flips with the sign of the skew, so that makers never pay it
struct RiskParameter {
    UFixed6 margin;
    UFixed6 maintenance;
    UFixed6 takerFee;
    UFixed6 takerSkewFee;
    UFixed6 takerImpactFee;
    UFixed6 makerFee;
    UFixed6 makerImpactFee;
    UFixed6 makerLimit;
    UFixed6 efficiencyLimit;
    UFixed6 liquidationFee;
    UFixed6 minLiquidationFee;
    UFixed6 maxLiquidationFee;
    UtilizationCurve utilizationCurve;
    PController pController;
    UFixed6 minMargin;
    UFixed6 minMaintenance;
    UFixed6 virtualTaker;
    uint256 staleAfter;
    bool makerReceiveOnly;
}
