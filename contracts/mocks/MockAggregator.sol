// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChainlinkFeed } from "../interfaces/IChainlinkFeed.sol";
import { MockPhase } from "./MockPhase.sol";

/// @title MockAggregator
/// @notice A Chainlink feed for tests: a proxy with any number of phases, whose rounds may be missing in either of the two ways that real
///         ones are. A phase is its own aggregator in name only: `phaseAggregators` gives a `MockPhase` that asks back here.
contract MockAggregator is IChainlinkFeed {
    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
    }

    /// @inheritdoc IChainlinkFeed
    uint8 public immutable decimals;

    /// @inheritdoc IChainlinkFeed
    uint16 public phaseId;

    /// @inheritdoc IChainlinkFeed
    mapping(uint16 phase => address) public phaseAggregators;

    /// @notice The newest round of each phase, without the phase.
    mapping(uint16 phase => uint64) public latestRoundOf;

    /// @notice Whether a missing round reverts, as in old aggregators, or reads as zero, as in new ones.
    bool public reverting;

    mapping(uint80 roundId => Round) private _rounds;

    /// @notice There is no such round.
    error NoDataPresent();

    /// @param decimals_ digits after the point of answers
    constructor(uint8 decimals_) {
        decimals = decimals_;
        startPhase();
    }

    /// @notice Puts a new aggregator in service.
    function startPhase() public {
        ++phaseId;
        phaseAggregators[phaseId] = address(new MockPhase(phaseId));
    }

    /// @notice Takes away what is known of an aggregator.
    /// @param phase which
    function forgetPhase(uint16 phase) external {
        phaseAggregators[phase] = address(0);
    }

    /// @notice Chooses how missing rounds read.
    /// @param reverting_ whether they revert
    function setReverting(bool reverting_) external {
        reverting = reverting_;
    }

    /// @notice Publishes a round of any phase; rounds in between are missing.
    /// @param phase of which aggregator
    /// @param round without the phase
    /// @param answer the price
    /// @param updatedAt Unix seconds
    function publish(uint16 phase, uint64 round, int256 answer, uint256 updatedAt) external {
        _rounds[_id(phase, round)] = Round(answer, updatedAt, updatedAt);
        if (round > latestRoundOf[phase]) latestRoundOf[phase] = round;
    }

    /// @inheritdoc IChainlinkFeed
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(_id(phaseId, latestRoundOf[phaseId]));
    }

    /// @inheritdoc IChainlinkFeed
    function getRoundData(uint80 roundId) public view returns (uint80, int256, uint256, uint256, uint80) {
        Round memory round = _rounds[roundId];
        if (round.updatedAt == 0 && reverting) revert NoDataPresent();
        return (roundId, round.answer, round.startedAt, round.updatedAt, roundId);
    }

    function _id(uint16 phase, uint64 round) private pure returns (uint80) {
        return uint80(phase) << 64 | round;
    }
}
