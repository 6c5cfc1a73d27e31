// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One price in time (docs/protocol.md §5.1).
/// @param timestamp the version: Unix seconds, also its name; 0 where there is none yet
/// @param price signed, 6 decimals, in the quote currency; 0 where the version is invalid or was never committed
/// @param valid whether a price arrived for this version in time; never inferred from the price
struct OracleVersion {
    uint256 timestamp;
    int256 price;
    bool valid;
}

/// @title IOracleProvider
/// @notice All that a market knows of prices (docs/protocol.md §11.1).
/// @dev Promises on which the market's safety rests: `current` is later than `latest.timestamp` and later than every price known
///      when it is read; neither ever moves back; a version, once committed, never changes; a version at or before the latest that
///      was not committed by then never will be.
interface IOracleProvider {
    /// @notice Asks for a price at the current version, on behalf of an order. Asking twice for one version is one request.
    /// @dev Callable by the oracle's own market only, where the provider belongs to one.
    /// @param account whose order asks; for information
    function request(address account) external;

    /// @notice The newest committed version, and the version that an order placed now will be priced at.
    /// @return latest newest committed version, possibly invalid; all zero before the first
    /// @return current timestamp of the current version, always later than the latest
    function status() external view returns (OracleVersion memory latest, uint256 current);

    /// @notice The version at `timestamp`.
    /// @param timestamp Unix seconds
    /// @return the version as committed; `(timestamp, 0, false)` where it never was, or was committed as invalid
    function at(uint256 timestamp) external view returns (OracleVersion memory);
}
