// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleErrors } from "./IOracleErrors.sol";
import { IOracleSetupErrors } from "./IOracleSetupErrors.sol";

/// @notice One price feed of an oracle (docs/protocol.md §11.2).
/// @param id the feed's name with the adapter: a Pyth price id, or a Chainlink feed's address in the low 20 bytes
/// @param power +1 to multiply by its price, −1 to divide by it
struct Feed {
    bytes32 id;
    int8 power;
}

/// @notice When the price of a version must have been published, and until when it may be committed (docs/protocol.md §11.3, §11.4).
/// @param validFrom seconds after the version at which its window opens
/// @param validTo seconds after the version at which its window closes, both ends included
/// @param grace seconds after the window for keepers to commit; after them a requested version can only be committed as invalid
/// @param confidence largest confidence interval as a share of the price, 6 decimals; an adapter whose feeds have none ignores it
struct Window {
    uint32 validFrom;
    uint32 validTo;
    uint32 grace;
    uint32 confidence;
}

/// @title IOracleAdapter
/// @notice A source of prices: it decides what the price of a version is, the same whoever commits it (docs/protocol.md §11).
interface IOracleAdapter is IOracleErrors, IOracleSetupErrors {
    /// @notice An oracle in a batch refused; the others were committed.
    /// @param oracle which
    /// @param version what was to be committed
    /// @param reason its error, ABI-encoded
    event CommitSkipped(address indexed oracle, uint256 indexed version, bytes reason);

    /// @notice The windows of versions change.
    /// @param from the first version for which they do
    /// @param window the new ones
    event WindowUpdated(uint256 from, Window window);

    /// @notice Only the OracleFactory may call.
    /// @param caller who called
    error AdapterNotFactory(address caller);

    /// @notice The adapter calls this function itself, to undo one oracle's part of a batch where that fails.
    /// @param caller who called
    error AdapterNotSelf(address caller);

    /// @notice The adapter has never served this oracle.
    /// @param oracle what was given
    error OracleNotServed(address oracle);

    /// @notice A batch without oracles.
    error BatchEmpty();

    /// @notice From `expiry` on a requested version can only be committed as invalid.
    /// @param version what was to be committed
    /// @param expiry Unix seconds
    error VersionExpired(uint256 version, uint256 expiry);

    /// @notice Before `expiry` a version cannot be committed as invalid: its price may still come.
    /// @param version what was to be committed
    /// @param expiry Unix seconds
    error VersionNotExpired(uint256 version, uint256 expiry);

    /// @notice A feed gave a price of zero or less.
    /// @param id the feed
    /// @param price as the feed gave it
    error PriceNotPositive(bytes32 id, int256 price);

    /// @notice The price was published later than now.
    /// @param id the feed
    /// @param published Unix seconds
    error PriceInFuture(bytes32 id, uint256 published);

    /// @notice The price of an unrequested version belongs to the window of the requested version that waits.
    /// @param id the feed
    /// @param published Unix seconds
    /// @param limit when that window opens
    error PriceOfNextVersion(bytes32 id, uint256 published, uint256 limit);

    /// @notice The product of the feeds is 0 or beyond every bound in 6 decimals.
    error PriceNotRepresentable();

    /// @notice A window must close at or after it opens, leave keepers at least 10 seconds of grace, end with its grace within a day,
    ///         and accept some confidence, at most 1.
    /// @param window what was given
    error WindowOutOfRange(Window window);

    /// @notice The change before is not in force yet.
    /// @param from the first version for which it will be
    error WindowPending(uint256 from);

    /// @notice The adapter always has an owner: without, nobody could change its windows.
    error OwnerRequired();

    /// @notice Commits versions that have expired as invalid (docs/protocol.md §11.3). Needs no price.
    /// @dev Anyone may call. Oracles that refuse are skipped; where all do, reverts with the last one's error: `OracleNotServed`, or the
    ///      oracle's `VersionNotNext` or `OracleNotAdapter`. Reverts with `BatchEmpty` or `VersionNotExpired`.
    /// @param oracles whose version
    /// @param version the requested version that waits in each
    function commitInvalid(address[] calldata oracles, uint256 version) external;

    /// @notice Changes the windows of versions that nobody can have requested yet: those of two hours from now on.
    /// @dev Owner only. What is requested keeps its window, however late it is committed. Reverts with `WindowOutOfRange`,
    ///      `WindowPending` or `GranularityTooSmall`.
    /// @param window the new ones
    function updateWindow(Window calldata window) external;

    /// @notice Takes an oracle into service with these feeds.
    /// @dev OracleFactory only. Reverts with `AdapterNotFactory`, `FeedCountOutOfRange`, `FeedPowerInvalid`, `FeedIdInvalid`,
    ///      `FeedDuplicate` or `GranularityTooSmall`.
    /// @param oracle an oracle of the factory
    /// @param feeds one to four feeds
    /// @param granularity seconds between the oracle's versions
    function enlist(address oracle, Feed[] calldata feeds, uint256 granularity) external;

    /// @notice Is told that an oracle's granularity changes, and refuses one that the windows do not fit.
    /// @dev OracleFactory only. Reverts with `AdapterNotFactory` or `GranularityTooSmall`.
    /// @param granularity seconds between versions
    function admitGranularity(uint256 granularity) external;

    /// @notice The feeds of an oracle.
    /// @param oracle any address
    /// @return feeds its feeds, none where the adapter has never served it
    function feedsOf(address oracle) external view returns (Feed[] memory feeds);

    /// @notice The windows that apply to a version.
    /// @param version any timestamp
    /// @return the windows
    function windowOf(uint256 version) external view returns (Window memory);

    /// @notice The only caller of `enlist` and `admitGranularity`.
    /// @return the OracleFactory
    function factory() external view returns (address);
}
