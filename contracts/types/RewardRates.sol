// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketParameter } from "./MarketParameter.sol";

/// @notice Reward tokens a second to each side, 6 decimals (slot M1, read only where rewards were ever set).
// | maker 40 | long 40 | short 40 | 136 unused |
type RewardRates is uint256;

using { makerRate, longRate, shortRate } for RewardRates global;

/// @return Rate of makers
function makerRate(RewardRates self) pure returns (uint256) {
    return RewardRates.unwrap(self) & type(uint40).max;
}

/// @return Rate of longs
function longRate(RewardRates self) pure returns (uint256) {
    return (RewardRates.unwrap(self) >> 40) & type(uint40).max;
}

/// @return Rate of shorts
function shortRate(RewardRates self) pure returns (uint256) {
    return (RewardRates.unwrap(self) >> 80) & type(uint40).max;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packRewardRates(MarketParameter memory market) pure returns (RewardRates) {
    return RewardRates.wrap(
        market.makerRewardRate.raw() | market.longRewardRate.raw() << 40 | market.shortRewardRate.raw() << 80
    );
}
