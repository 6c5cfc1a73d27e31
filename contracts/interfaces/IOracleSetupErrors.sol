// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IOracleSetupErrors
/// @notice Why an oracle or its adapter refuses feeds, granularity or another adapter. The OracleFactory passes these on, so its ABI has them
///         too.
interface IOracleSetupErrors {
    /// @notice An oracle has one to four feeds.
    /// @param count how many were given
    error FeedCountOutOfRange(uint256 count);

    /// @notice A feed's power is +1 or −1.
    /// @param index which feed
    /// @param power what was given
    error FeedPowerInvalid(uint256 index, int8 power);

    /// @notice The feed cannot be one of this adapter's.
    /// @param index which feed
    /// @param id what was given
    error FeedIdInvalid(uint256 index, bytes32 id);

    /// @notice The same feed twice.
    /// @param index which feed
    /// @param id what was given
    error FeedDuplicate(uint256 index, bytes32 id);

    /// @notice The windows of neighbouring versions would overlap, so that one price could serve two versions.
    /// @param granularity seconds between versions
    /// @param minimum the smallest granularity that the windows allow
    error GranularityTooSmall(uint256 granularity, uint256 minimum);

    /// @notice The adapter serves the oracle already; another instance can take over.
    /// @param adapter what was given
    error AdapterInService(address adapter);

    /// @notice Versions of the adapter before still wait; they end at the latest at `deadline`.
    /// @param next the version that waits
    /// @param boundary the last version of the adapter before
    error HandoverPending(uint256 next, uint256 boundary);

    /// @notice A granularity is 1 second to 1 hour.
    /// @param granularity what was given, seconds
    error GranularityOutOfRange(uint256 granularity);
}
