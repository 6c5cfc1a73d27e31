// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IOracleErrors
/// @notice Why an oracle refuses a commit. Its adapters pass these on, so their ABI has them too.
interface IOracleErrors {
    /// @notice Only the adapter that serves the version may call.
    /// @param caller who called
    /// @param adapter who serves it
    error OracleNotAdapter(address caller, address adapter);

    /// @notice Versions are committed in order of time, each once.
    /// @param version what was to be committed
    /// @param latest the latest version
    error VersionNotNewer(uint256 version, uint256 latest);

    /// @notice A version cannot be committed before its time.
    /// @param version what was to be committed
    error VersionInFuture(uint256 version);

    /// @notice A requested version comes first; none is skipped.
    /// @param version what was to be committed
    /// @param next the requested version that waits
    error VersionOutOfOrder(uint256 version, uint256 next);

    /// @notice Only the requested version that waits can be committed as invalid.
    /// @param version what was to be committed
    /// @param next the requested version that waits, 0 where none does
    error VersionNotNext(uint256 version, uint256 next);

    /// @notice A price is positive and below 2^63 (9.2 · 10^12 with 6 decimals).
    /// @param price what was to be committed, 6 decimals
    error PriceOutOfRange(uint256 price);
}
