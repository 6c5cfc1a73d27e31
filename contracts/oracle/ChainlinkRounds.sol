// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChainlinkAggregator, IChainlinkFeed } from "../interfaces/IChainlinkFeed.sol";
import { IChainlinkOracle } from "../interfaces/IChainlinkOracle.sol";

/// @title ChainlinkRounds
/// @notice Proves that a round of a Chainlink feed is the first one at or after a point in time (docs/protocol.md §11.4), so that whoever
///         names it has no choice.
/// @dev A feed's rounds come from aggregators that succeed each other, its phases; within one their times never decrease. Rounds may be
///      missing. A retired aggregator may go on publishing, and a new one may have begun before it was put in service, so phases overlap.
///      What counts: the newest phase that had begun before the point in time, from it the first round at or after that point, or the
///      first round of a later phase where that is earlier. At any time that is one round at most.
library ChainlinkRounds {
    /// @dev How many rounds a proof looks at beyond those that it must; where that is not enough the round is refused.
    uint256 private constant REACH = 32;

    /// @dev Bits of a round number within its phase.
    uint256 private constant PHASE_SHIFT = 64;

    /// @notice The price of a round, proven to be the first at or after `from`.
    /// @dev Reverts with `RoundMissing`, `RoundOutOfWindow`, `RoundNotFirst` or `RoundNotProven`.
    /// @param id the feed's address
    /// @param round its number, with its phase
    /// @param from first second of the window
    /// @param to last second of the window
    /// @return answer as the feed gave it
    /// @return published Unix seconds
    function prove(bytes32 id, uint80 round, uint256 from, uint256 to)
        internal
        view
        returns (int256 answer, uint256 published)
    {
        IChainlinkFeed feed = feedOf(id);
        (answer, published) = _read(feed, round);
        if (published == 0) revert IChainlinkOracle.RoundMissing(id, round);
        if (published < from || published > to) {
            revert IChainlinkOracle.RoundOutOfWindow(id, published, from, to);
        }

        (uint80 before, uint256 publishedBefore) = _previous(feed, id, round, round);
        if (before == 0) _checkEarlierPhases(feed, id, round, from, published);
        else if (publishedBefore >= from) revert IChainlinkOracle.RoundNotFirst(id, round, before);
        _checkLaterPhases(feed, id, round, published);
    }

    /// @notice The contract that an id names.
    /// @param id the feed's address in the low 20 bytes
    /// @return the feed
    function feedOf(bytes32 id) internal pure returns (IChainlinkFeed) {
        return IChainlinkFeed(address(uint160(uint256(id))));
    }

    /// @dev `round` is the first of its phase: no round of the phase before it, which it succeeded, may lie between `from` and it.
    function _checkEarlierPhases(IChainlinkFeed feed, bytes32 id, uint80 round, uint256 from, uint256 published)
        private
        view
    {
        for (uint16 phase = _phase(round); phase > 1;) {
            --phase;
            uint80 last = _lastOf(feed, id, round, phase);
            if (uint64(last) == 0) continue;

            // A retired aggregator that still publishes has rounds that are later than `round`: those do not matter.
            uint256 publishedLast;
            (, publishedLast) = _read(feed, last);
            if (publishedLast == 0) revert IChainlinkOracle.RoundNotProven(id, round);
            for (uint256 i; publishedLast > published; ++i) {
                if (i == REACH) revert IChainlinkOracle.RoundNotProven(id, round);
                (last, publishedLast) = _previous(feed, id, round, last);
            }
            if (publishedLast >= from) revert IChainlinkOracle.RoundNotFirst(id, round, last);
            if (last != 0) return;
        }
    }

    /// @dev No later phase may have begun before `round` was published.
    function _checkLaterPhases(IChainlinkFeed feed, bytes32 id, uint80 round, uint256 published) private view {
        uint256 newest = _newestPhase(feed);
        for (uint256 phase = uint256(_phase(round)) + 1; phase <= newest; ++phase) {
            (uint80 first, uint256 publishedFirst) = _firstOf(feed, phase);
            if (first != 0 && publishedFirst < published) revert IChainlinkOracle.RoundNotFirst(id, round, first);
        }
    }

    /// @dev The round before `round` in its phase, passing over missing ones; 0 where there is none. `named` is for the error.
    function _previous(IChainlinkFeed feed, bytes32 id, uint80 named, uint80 round)
        private
        view
        returns (uint80, uint256)
    {
        for (uint256 i; i < REACH; ++i) {
            --round;
            if (uint64(round) == 0) return (0, 0);
            (, uint256 published) = _read(feed, round);
            if (published != 0) return (round, published);
        }
        revert IChainlinkOracle.RoundNotProven(id, named);
    }

    /// @dev The first round of a phase, passing over missing ones; 0 where there is none within reach, which is one that has not begun.
    function _firstOf(IChainlinkFeed feed, uint256 phase) private view returns (uint80 round, uint256 published) {
        for (uint256 i = 1; i <= REACH; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast) a phase has 16 bits
            round = uint80(phase << PHASE_SHIFT | i);
            (, published) = _read(feed, round);
            if (published != 0) return (round, published);
        }
        return (0, 0);
    }

    /// @dev The newest round of a phase; its low 64 bits are 0 where there is none.
    function _lastOf(IChainlinkFeed feed, bytes32 id, uint80 named, uint16 phase) private view returns (uint80) {
        try feed.phaseAggregators(phase) returns (address aggregator) {
            if (aggregator.code.length != 0) {
                uint256 last = IChainlinkAggregator(aggregator).latestRound();
                return uint80(uint256(phase) << PHASE_SHIFT | uint64(last));
            }
        } catch { } // solhint-disable-line no-empty-blocks
        revert IChainlinkOracle.RoundNotProven(id, named);
    }

    /// @dev 0 for an aggregator without a proxy, which has no phases.
    function _newestPhase(IChainlinkFeed feed) private view returns (uint256) {
        try feed.phaseId() returns (uint16 phase) {
            return phase;
        } catch {
            return 0;
        }
    }

    /// @dev A round that is missing has `published` 0: in some aggregators it reads so, in others reading it fails.
    function _read(IChainlinkFeed feed, uint80 round) private view returns (int256 answer, uint256 published) {
        try feed.getRoundData(round) returns (uint80, int256 answer_, uint256, uint256 updatedAt, uint80) {
            return (answer_, updatedAt);
        } catch {
            return (0, 0);
        }
    }

    function _phase(uint80 round) private pure returns (uint16) {
        return uint16(round >> PHASE_SHIFT);
    }
}
