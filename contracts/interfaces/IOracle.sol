// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleErrors } from "./IOracleErrors.sol";
import { IOracleProvider } from "./IOracleProvider.sol";
import { IOracleSetupErrors } from "./IOracleSetupErrors.sol";

/// @title IOracle
/// @notice The prices of one market: which versions are requested, which are committed, and by whom (docs/protocol.md §11). An adapter
///         decides what the price of a version is; the oracle decides which version may come next.
interface IOracle is IOracleProvider, IOracleErrors, IOracleSetupErrors {
    /// @notice A version was requested for the first time.
    /// @param version its timestamp
    event VersionRequested(uint256 indexed version);

    /// @notice A version was committed.
    /// @param version its timestamp, the latest from now on
    /// @param price 6 decimals, 0 where invalid
    /// @param valid false where a requested version expired
    /// @param keeper who may claim its settlement fees, zero where nobody may
    event VersionCommitted(uint256 indexed version, int256 price, bool valid, address indexed keeper);

    /// @notice Only the oracle's market may call.
    /// @param caller who called
    error OracleNotMarket(address caller);

    /// @notice Only the OracleFactory may call.
    /// @param caller who called
    error OracleNotFactory(address caller);

    /// @notice Nothing of a replaced adapter waits beyond its deadline.
    /// @param next the requested version that waits, 0 where none does
    /// @param boundary the last version of the adapter before
    /// @param deadline from when on its versions expire without it
    error HandoverNotOverdue(uint256 next, uint256 boundary, uint256 deadline);

    /// @notice Commits the price of a version: the requested one that waits, or one between the latest and that, or, where none
    ///         waits, any newer than the latest that is not in the future.
    /// @dev Callable by the version's adapter only. Reverts with `OracleNotAdapter`, `VersionNotNewer`, `VersionInFuture`,
    ///      `VersionOutOfOrder` or `PriceOutOfRange`.
    /// @param version its timestamp
    /// @param price 6 decimals
    /// @param published when the newest price in it was published: at or after the version, at most 194 days
    /// @param keeper who may claim its settlement fees
    function commit(uint256 version, uint256 price, uint256 published, address keeper) external;

    /// @notice Commits the requested version that waits as invalid.
    /// @dev Callable by the version's adapter only, which knows when a version has expired. Reverts with `OracleNotAdapter` or
    ///      `VersionNotNext`.
    /// @param version its timestamp
    function commitInvalid(uint256 version) external;

    /// @notice Commits waiting versions of a replaced adapter as invalid, in case it cannot even do that itself any more
    ///         (docs/protocol.md §11.7).
    /// @dev Anyone may call, from the hand-over's deadline on. Reverts with `HandoverNotOverdue` where there is nothing to do.
    /// @param max how many versions at most, so that a backlog of any length can be worked off in pieces
    function expire(uint256 max) external;

    /// @notice Makes `market` the only one that may request versions.
    /// @dev OracleFactory only, once.
    /// @param market the market
    function bind(address market) external;

    /// @notice Puts another adapter in charge of all versions after those that are requested or committed by now.
    /// @dev OracleFactory only. Reverts with `AdapterInService` or `HandoverPending`.
    /// @param adapter the new one
    /// @return boundary the last version of the old one
    function replaceAdapter(address adapter) external returns (uint256 boundary);

    /// @notice Changes the spacing of versions from the next version on.
    /// @dev OracleFactory only. Reverts with `GranularityOutOfRange`.
    /// @param granularity seconds
    /// @return from the current version, the last one of the old spacing
    function updateGranularity(uint256 granularity) external returns (uint256 from);

    /// @notice Takes the right to a version's settlement fees from a keeper, so that they are paid once.
    /// @dev OracleFactory only.
    /// @param version its timestamp
    /// @param keeper who claims to have committed it
    /// @return whether the keeper had the right
    function collect(uint256 version, address keeper) external returns (bool);

    /// @notice The requested version that has to be committed next.
    /// @return its timestamp, 0 where none waits
    function next() external view returns (uint256);

    /// @notice Whether the caller may commit `version` now, and what its price has to come after and before.
    /// @dev Reverts with `OracleNotAdapter`, `VersionNotNewer`, `VersionInFuture` or `VersionOutOfOrder`, as `commit` would.
    /// @param version any timestamp
    /// @return waiting the requested version that has to be committed next, 0 where none waits
    /// @return published when the newest price in the latest version was published; of an invalid version, its timestamp
    function admit(uint256 version) external view returns (uint256 waiting, uint256 published);

    /// @notice Who serves a version.
    /// @param version any timestamp
    /// @return the adapter that may commit it
    function adapterOf(uint256 version) external view returns (address);

    /// @notice Who may claim a version's settlement fees.
    /// @param version its timestamp
    /// @return who committed it; zero where it was not committed, is invalid, or was paid
    function keeperOf(uint256 version) external view returns (address);

    /// @notice Seconds between versions, from the next version on.
    /// @return 1 to 3,600
    function granularity() external view returns (uint256);

    /// @notice Where prices come from now.
    /// @return the adapter
    function adapter() external view returns (address);

    /// @notice The last change of adapter.
    /// @return previous the adapter before, zero where there was none
    /// @return boundary its last version
    /// @return deadline from when on what still waits of it can be expired by anyone
    function handover() external view returns (address previous, uint256 boundary, uint256 deadline);

    /// @notice The market that may request versions.
    /// @return its address, zero until it is bound
    function market() external view returns (address);

    /// @notice The factory that made this oracle.
    /// @return its address
    function factory() external view returns (address);
}
