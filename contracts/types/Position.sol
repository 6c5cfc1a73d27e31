// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UFixed6 } from "../math/UFixed6.sol";

/// @notice Sizes of the market or of an account.
/// @param timestamp Version that the sizes are of
/// @param maker Size of makers, units of the payoff with 6 decimals
/// @param long Size of longs, units of the payoff with 6 decimals
/// @param short Size of shorts, units of the payoff with 6 decimals
struct Position {
    uint256 timestamp;
    UFixed6 maker;
    UFixed6 long;
    UFixed6 short;
}
