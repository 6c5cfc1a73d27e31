// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IPyth } from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";

import { IOracleAdapter } from "./IOracleAdapter.sol";

/// @title IPythOracle
/// @notice Prices from Pyth (docs/protocol.md §11.3): the price of a version is the first update of each feed that was published in the
///         version's window, so nobody chooses among prices.
interface IPythOracle is IOracleAdapter {
    /// @notice Pyth's own: an update is missing, not published in the version's window, or not the first one there.
    error PriceFeedNotFoundWithinRange();

    /// @notice The update's confidence interval is too wide.
    /// @param id the feed
    /// @param confidence half its width, in units of the price
    /// @param price as the feed gave it
    error PriceUncertain(bytes32 id, uint256 confidence, uint256 price);

    /// @notice The price was published no later than the newest price in the latest version: that of an unrequested version, or of the
    ///         first versions of a new adapter, whose windows open earlier than those of the one before (docs/protocol.md §11.7).
    /// @param id the feed
    /// @param published Unix seconds
    /// @param latest Unix seconds
    error PriceNotNewer(bytes32 id, uint256 published, uint256 latest);

    /// @notice The call carried less than Pyth's fee.
    /// @param sent in wei
    /// @param fee in wei
    error FeeNotCovered(uint256 sent, uint256 fee);

    /// @notice The rest of the ETH could not be returned to the caller.
    /// @param amount in wei
    error RefundFailed(uint256 amount);

    /// @notice Commits a version with the same updates for any number of oracles; the caller earns the settlement fees at it.
    /// @dev Anyone may call. An oracle that refuses is skipped with a `CommitSkipped` event and costs no Pyth fee; where all do,
    ///      reverts with the last one's error (of the oracle, of this adapter, or of Pyth where an update is missing or not the first
    ///      in the window), so a single oracle never fails in silence. Reverts with `BatchEmpty`. ETH beyond Pyth's fee is returned.
    /// @param oracles whose version
    /// @param version the requested version that waits in each oracle, or an unrequested one before it
    /// @param updateData Pyth's updates: for each feed the first one in the version's window
    function commit(address[] calldata oracles, uint256 version, bytes[] calldata updateData) external payable;

    /// @notice `commit` for contracts that act for a keeper.
    /// @dev As `commit`; ETH is returned to the caller.
    /// @param keeper who earns the settlement fees
    /// @param oracles whose version
    /// @param version as in `commit`
    /// @param updateData as in `commit`
    function commitFor(address keeper, address[] calldata oracles, uint256 version, bytes[] calldata updateData)
        external
        payable;

    /// @notice The Pyth contract.
    /// @return its address
    function pyth() external view returns (IPyth);
}
