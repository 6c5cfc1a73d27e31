// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MockSequencerFeed
/// @notice Chainlink's feed of a sequencer's uptime, for tests: a round for each change, answer 0 up and 1 down.
contract MockSequencerFeed {
    struct Round {
        int256 answer;
        uint256 startedAt;
    }

    Round[] private _rounds;

    /// @notice The status changes.
    /// @param up whether the sequencer is up from now on
    /// @param startedAt since when, Unix seconds
    function change(bool up, uint256 startedAt) external {
        _rounds.push(Round(up ? int256(0) : int256(1), startedAt));
    }

    /// @notice The present status; all zero before the first.
    /// @return id of the round, from 1, in the only phase
    /// @return answer 0 up, 1 down
    /// @return startedAt since when, Unix seconds
    /// @return updatedAt the same
    /// @return answeredInRound deprecated
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return getRoundData(uint80(1 << 64 | _rounds.length));
    }

    /// @notice One status.
    /// @param roundId its number
    /// @return id its number
    /// @return answer 0 up, 1 down
    /// @return startedAt since when, Unix seconds; 0 where there is none
    /// @return updatedAt the same
    /// @return answeredInRound deprecated
    function getRoundData(uint80 roundId)
        public
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        uint256 round = uint64(roundId);
        if (round == 0 || round > _rounds.length) return (roundId, 0, 0, 0, roundId);
        Round memory found = _rounds[round - 1];
        return (roundId, found.answer, found.startedAt, found.startedAt, roundId);
    }
}
