// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UFixed6 } from "../math/UFixed6.sol";

/// @notice What bounds every market, set by the factory's owner (docs/protocol.md §4.3, which has the bounds).
/// @param protocolFee Share of every market's fees that goes to the protocol, 6 decimals
/// @param maxFee Largest rate of a position fee, 6 decimals
/// @param maxFeeAbsolute Largest fee or minimum in USD, 6 decimals
/// @param maxCut Largest share that the market, protocol, referrer or liquidator may keep, 6 decimals
/// @param maxRate Largest rate of funding or interest per year, 6 decimals
/// @param minMaintenance Least maintenance ratio, 6 decimals
/// @param minEfficiency Least efficiency limit, 6 decimals
struct ProtocolParameter {
    UFixed6 protocolFee;
    UFixed6 maxFee;
    UFixed6 maxFeeAbsolute;
    UFixed6 maxCut;
    UFixed6 maxRate;
    UFixed6 minMaintenance;
    UFixed6 minEfficiency;
}
