// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IChainlinkFeed
/// @notice What this project uses of a Chainlink feed: the proxy that numbers rounds `phase << 64 | round of the phase's aggregator`.
interface IChainlinkFeed {
    /// @notice Digits after the point of answers.
    /// @return their number
    function decimals() external view returns (uint8);

    /// @notice The aggregator in service.
    /// @return its number, from 1
    function phaseId() external view returns (uint16);

    /// @notice Aggregators, present and past.
    /// @param phase its number
    /// @return its address
    function phaseAggregators(uint16 phase) external view returns (address);

    /// @notice One round; reverts or gives `updatedAt` 0 where there is none.
    /// @param roundId its number
    /// @return id its number
    /// @return answer the price
    /// @return startedAt Unix seconds
    /// @return updatedAt Unix seconds
    /// @return answeredInRound deprecated
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// @notice The newest round.
    /// @return id its number
    /// @return answer the price
    /// @return startedAt Unix seconds
    /// @return updatedAt Unix seconds
    /// @return answeredInRound deprecated
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}

/// @title IChainlinkAggregator
/// @notice What this project uses of one aggregator behind a feed.
interface IChainlinkAggregator {
    /// @notice The newest round.
    /// @return its number, without a phase
    function latestRound() external view returns (uint256);
}
