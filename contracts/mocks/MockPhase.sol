// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChainlinkAggregator } from "../interfaces/IChainlinkFeed.sol";

/// @title IMockAggregator
/// @notice What a phase asks of its feed.
interface IMockAggregator {
    /// @notice The newest round of a phase.
    /// @param phase its number
    /// @return its number, without the phase
    function latestRoundOf(uint16 phase) external view returns (uint64);
}

/// @title MockPhase
/// @notice One aggregator behind a MockAggregator.
contract MockPhase is IChainlinkAggregator {
    IMockAggregator private immutable _feed;
    uint16 private immutable _phase;

    /// @param phase its number
    constructor(uint16 phase) {
        (_feed, _phase) = (IMockAggregator(msg.sender), phase);
    }

    /// @inheritdoc IChainlinkAggregator
    function latestRound() external view returns (uint256) {
        return _feed.latestRoundOf(_phase);
    }
}
