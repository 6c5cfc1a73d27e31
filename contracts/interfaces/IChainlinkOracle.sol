// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChainlinkFeed } from "./IChainlinkFeed.sol";
import { IOracleAdapter } from "./IOracleAdapter.sol";

/// @title IChainlinkOracle
/// @notice Prices from Chainlink (docs/protocol.md §11.4): the price of a version is the first round of each feed in the version's window.
interface IChainlinkOracle is IOracleAdapter {
    /// @notice A round for each feed of each oracle is needed, in that order.
    /// @param given how many were given
    /// @param needed how many the oracles have feeds
    error RoundCountWrong(uint256 given, uint256 needed);

    /// @notice The feed has no such round.
    /// @param id the feed
    /// @param round what was given
    error RoundMissing(bytes32 id, uint80 round);

    /// @notice The round was not published in the version's window.
    /// @param id the feed
    /// @param published when it was, Unix seconds
    /// @param from first second of the window
    /// @param to last second of the window
    error RoundOutOfWindow(bytes32 id, uint256 published, uint256 from, uint256 to);

    /// @notice Another round at or after the window's beginning comes before this one.
    /// @param id the feed
    /// @param round what was given
    /// @param earlier the other
    error RoundNotFirst(bytes32 id, uint80 round, uint80 earlier);

    /// @notice It cannot be shown that the round is the first: too many rounds are missing around it, or the aggregator before it is
    ///         unknown.
    /// @param id the feed
    /// @param round what was given
    error RoundNotProven(bytes32 id, uint80 round);

    /// @notice The chain's sequencer is down, or was not up long enough.
    /// @param since when its status changed last, Unix seconds
    error SequencerDown(uint256 since);

    /// @notice The price was published during an outage of the sequencer or within the grace time after it.
    /// @param id the feed
    /// @param published Unix seconds
    error PriceOfOutage(bytes32 id, uint256 published);

    /// @notice Commits a version for any number of oracles; the caller earns the settlement fees at it.
    /// @dev Anyone may call. An oracle that refuses is skipped with a `CommitSkipped` event; where all do, reverts with the last one's
    ///      error. Reverts with `BatchEmpty`, `RoundCountWrong` or `SequencerDown`.
    /// @param oracles whose version
    /// @param version the requested version that waits in each oracle, or an unrequested one before it
    /// @param rounds for each oracle in turn, for each of its feeds in turn, the first round in the version's window
    function commit(address[] calldata oracles, uint256 version, uint80[] calldata rounds) external;

    /// @notice `commit` for contracts that act for a keeper.
    /// @dev As `commit`.
    /// @param keeper who earns the settlement fees
    /// @param oracles whose version
    /// @param version as in `commit`
    /// @param rounds as in `commit`
    function commitFor(address keeper, address[] calldata oracles, uint256 version, uint80[] calldata rounds) external;

    /// @notice Tells whether the chain's sequencer is up.
    /// @return Chainlink's feed (0 up, 1 down), zero on chains without one
    function sequencerFeed() external view returns (IChainlinkFeed);

    /// @notice How long after an outage prices are refused.
    /// @return seconds
    function sequencerGrace() external view returns (uint256);
}
