// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What every call reads first (slot C0).
// | oracle 160 | maxPendingGlobal 16 | maxPendingLocal 16 | has payoff 1 | has rewards 1 | fee since 32 | 30 unused |
type MarketConfig is uint256;

using { oracle, maxPendingGlobal, maxPendingLocal, hasPayoff, hasRewards, feeSince } for MarketConfig global;

/// @return Price provider
function oracle(MarketConfig self) pure returns (address) {
    // casts: the lowest 160 bits are the address
    return address(uint160(MarketConfig.unwrap(self)));
}

/// @return Unsettled versions that the market may have
function maxPendingGlobal(MarketConfig self) pure returns (uint256) {
    return (MarketConfig.unwrap(self) >> 160) & type(uint16).max;
}

/// @return Unsettled versions that an account may have
function maxPendingLocal(MarketConfig self) pure returns (uint256) {
    return (MarketConfig.unwrap(self) >> 176) & type(uint16).max;
}

/// @return Whether prices go through a payoff
function hasPayoff(MarketConfig self) pure returns (bool) {
    return (MarketConfig.unwrap(self) >> 192) & 1 == 1;
}

/// @return Whether a reward rate has ever been set
function hasRewards(MarketConfig self) pure returns (bool) {
    return (MarketConfig.unwrap(self) >> 193) & 1 == 1;
}

/// @return Newest version that was pending when the settlement fee last changed: the fee in force is that of later versions
function feeSince(MarketConfig self) pure returns (uint256) {
    return (MarketConfig.unwrap(self) >> 194) & type(uint32).max;
}

/// @notice Packs the slot; the factory has bounded the parameters.
function packMarketConfig(
    address oracle_,
    uint256 maxPendingGlobal_,
    uint256 maxPendingLocal_,
    bool hasPayoff_,
    bool hasRewards_,
    uint256 feeSince_
) pure returns (MarketConfig) {
    return MarketConfig.wrap(
        uint256(uint160(oracle_)) | maxPendingGlobal_ << 160 | maxPendingLocal_ << 176 | (hasPayoff_ ? 1 << 192 : 0)
            | (hasRewards_ ? 1 << 193 : 0) | feeSince_ << 194
    );
}
