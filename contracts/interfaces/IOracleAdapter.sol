// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One price feed of an oracle (docs/protocol.md §11.2).
/// @param id the feed's name with the adapter: a Pyth price id, or a Chainlink feed's address in the low 20 bytes
/// @param power +1 to multiply by its price, −1 to divide by it
struct Feed {
    bytes32 id;
    int8 power;
}

/// @title IOracleAdapter
/// @notice What the OracleFactory asks of a source of prices. Keepers use the adapter's own functions.
interface IOracleAdapter {
    /// @notice Only the OracleFactory may call.
    /// @param caller who called
    error AdapterNotFactory(address caller);

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

    /// @notice The same feed twice: give it once, a product with its own inverse is no price.
    /// @param index which feed
    /// @param id what was given
    error FeedDuplicate(uint256 index, bytes32 id);

    /// @notice The windows of neighbouring versions would overlap, so that one price could serve two versions.
    /// @param granularity seconds between versions
    /// @param minimum the smallest granularity that the adapter can serve with its windows
    error GranularityTooSmall(uint256 granularity, uint256 minimum);

    /// @notice Takes the oracle into service from its next version on, with these feeds.
    /// @dev Callable by the OracleFactory only. Reverts with `AdapterNotFactory`, `FeedCountOutOfRange`, `FeedPowerInvalid`,
    ///      `FeedIdInvalid`, `FeedDuplicate` or `GranularityTooSmall`.
    /// @param oracle an Oracle of the factory
    /// @param feeds one to four feeds
    /// @param granularity seconds between the oracle's versions
    function enlist(address oracle, Feed[] calldata feeds, uint256 granularity) external;

    /// @notice Tells that the oracle's granularity changes; the adapter refuses one that its windows do not fit.
    /// @dev Callable by the OracleFactory only. Reverts with `AdapterNotFactory` or `GranularityTooSmall`.
    /// @param granularity seconds between versions
    function admitGranularity(uint256 granularity) external;

    /// @notice The feeds of an oracle.
    /// @param oracle any address
    /// @return its feeds, none where the adapter does not serve it
    function feeds(address oracle) external view returns (Feed[] memory);
}
