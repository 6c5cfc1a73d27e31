// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IChainlinkFeed } from "../interfaces/IChainlinkFeed.sol";
import { IChainlinkOracle } from "../interfaces/IChainlinkOracle.sol";
import { IOracle } from "../interfaces/IOracle.sol";
import { Window } from "../interfaces/IOracleAdapter.sol";
import { ChainlinkRounds } from "./ChainlinkRounds.sol";
import { OracleAdapter } from "./OracleAdapter.sol";
import { PriceMath, Quote } from "./PriceMath.sol";

/// @title ChainlinkOracle
/// @notice Prices from Chainlink (docs/protocol.md §11.4).
/// @dev Chainlink publishes less often than versions come, so versions close together share a round; the windows may overlap. Rounds have
///      no confidence interval.
contract ChainlinkOracle is OracleAdapter, IChainlinkOracle {
    /// @dev How many changes of the sequencer's status may lie between a price and now.
    uint256 private constant REACH = 32;

    /// @inheritdoc IChainlinkOracle
    IChainlinkFeed public immutable sequencerFeed;

    /// @inheritdoc IChainlinkOracle
    uint256 public immutable sequencerGrace;

    /// @param sequencerFeed_ Chainlink's feed of the sequencer's status, zero on chains without one
    /// @param sequencerGrace_ seconds after an outage for which prices are refused
    /// @param factory_ the OracleFactory
    /// @param owner_ who may change the windows
    /// @param window the windows to begin with
    constructor(
        IChainlinkFeed sequencerFeed_,
        uint256 sequencerGrace_,
        address factory_,
        address owner_,
        Window memory window
    ) OracleAdapter(factory_, owner_, window) {
        (sequencerFeed, sequencerGrace) = (sequencerFeed_, sequencerGrace_);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Keepers
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IChainlinkOracle
    function commit(address[] calldata oracles, uint256 version, uint80[] calldata rounds) external {
        commitFor(msg.sender, oracles, version, rounds);
    }

    /// @inheritdoc IChainlinkOracle
    function commitFor(address keeper, address[] calldata oracles, uint256 version, uint80[] calldata rounds)
        public
        nonReentrant
    {
        _checkSequencer();
        if (oracles.length == 1) return _commit(keeper, oracles[0], version, rounds);

        _checkCount(oracles, rounds.length);
        Batch memory batch = Batch(version, 0, "");
        uint256 start;
        for (uint256 i; i < oracles.length; ++i) {
            (bytes32[] memory ids,) = _feedsOf(oracles[i]);
            uint256 end = start + ids.length;
            try this.commitAlone(keeper, oracles[i], version, rounds[start:end]) {
                ++batch.done;
            } catch (bytes memory reason) {
                _skip(batch, oracles[i], reason);
            }
            start = end;
        }
        _finish(batch);
    }

    /// @notice One oracle of a batch.
    /// @dev This contract only.
    /// @param keeper as in `commitFor`
    /// @param oracle one of the batch
    /// @param version as in `commitFor`
    /// @param rounds of the oracle's feeds
    function commitAlone(address keeper, address oracle, uint256 version, uint80[] calldata rounds) external onlySelf {
        _commit(keeper, oracle, version, rounds);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Inside
    // ---------------------------------------------------------------------------------------------------------------

    function _commit(address keeper, address oracle, uint256 version, uint80[] calldata rounds) private {
        (bytes32[] memory ids, uint256 inverses) = _servedFeeds(oracle);
        if (rounds.length != ids.length) revert RoundCountWrong(rounds.length, ids.length);
        Window memory window = windowOf(version);
        (, uint256 before) = _admit(oracle, version, window);

        uint256 newest;
        Quote[] memory quotes = new Quote[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            uint256 published;
            (quotes[i], published) = _quote(ids[i], rounds[i], version, window);
            if (published >= before) revert PriceOfNextVersion(ids[i], published, before);
            newest = Math.max(newest, published);
        }
        IOracle(oracle).commit(version, PriceMath.product(quotes, inverses), newest, keeper);
    }

    function _quote(bytes32 id, uint80 round, uint256 version, Window memory window)
        private
        view
        returns (Quote memory, uint256 published)
    {
        int256 answer;
        (answer, published) = ChainlinkRounds.prove(id, round, version + window.validFrom, version + window.validTo);
        if (published > block.timestamp) revert PriceInFuture(id, published);
        _checkUptime(id, published);
        if (answer <= 0) revert PriceNotPositive(id, answer);
        uint256 mantissa = uint256(answer);
        if (mantissa >= PriceMath.MAX_MANTISSA) revert PriceNotRepresentable();
        return (Quote(mantissa, -int256(uint256(ChainlinkRounds.feedOf(id).decimals()))), published);
    }

    function _checkCount(address[] calldata oracles, uint256 given) private view {
        uint256 needed;
        for (uint256 i; i < oracles.length; ++i) {
            (bytes32[] memory ids,) = _feedsOf(oracles[i]);
            needed += ids.length;
        }
        if (given != needed) revert RoundCountWrong(given, needed);
    }

    /// @dev The sequencer must be up, and have been for the grace time: users could not act before.
    function _checkSequencer() private view {
        if (address(sequencerFeed) == address(0)) return;
        (, int256 answer, uint256 since,,) = sequencerFeed.latestRoundData();
        if (answer != 0 || since == 0 || block.timestamp < since + sequencerGrace) revert SequencerDown(since);
    }

    /// @dev And it must have been when the price was published: goes back through its history to that time.
    function _checkUptime(bytes32 id, uint256 published) private view {
        if (address(sequencerFeed) == address(0)) return;
        (uint80 round, int256 answer, uint256 since,,) = sequencerFeed.latestRoundData();
        for (uint256 i; published < since && i < REACH; ++i) {
            (round, answer, since,,) = sequencerFeed.getRoundData(round - 1);
        }
        if (answer != 0 || since == 0 || published < since + sequencerGrace) revert PriceOfOutage(id, published);
    }

    /// @dev An address with code that answers as a feed.
    function _checkFeed(uint256 index, bytes32 id) internal view override {
        address feed = address(ChainlinkRounds.feedOf(id));
        if (uint256(id) >> 160 != 0 || feed.code.length == 0) revert FeedIdInvalid(index, id);
        IChainlinkFeed(feed).decimals();
    }

    /// @dev One round may serve several versions.
    function _minimum(Window memory, Window memory) internal pure override returns (uint256) {
        return 1;
    }
}
