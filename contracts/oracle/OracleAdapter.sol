// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { IOracle } from "../interfaces/IOracle.sol";
import { Feed, IOracleAdapter, Window } from "../interfaces/IOracleAdapter.sol";

/// @title OracleAdapter
/// @notice What all sources of prices have in common: feeds, windows, batches, expiry (docs/protocol.md §11.3 to §11.5).
abstract contract OracleAdapter is IOracleAdapter, Ownable2Step, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    uint256 internal constant MAX_FEEDS = 4;

    /// @dev Windows change this far ahead. No oracle's current version lies further: twice its longest granularity, while that changes.
    uint256 private constant NOTICE = 2 hours;

    /// @dev What an oracle waits for from an adapter that was replaced (its HANDOVER), so that nothing ends before its time.
    uint256 private constant MAX_EXPIRY = 1 days;

    /// @dev An honest keeper has at least this long after the last moment at which a price could come.
    uint256 private constant MIN_GRACE = 10;

    /// @dev 1 with 6 decimals.
    uint256 private constant ONE = 1e6;

    /// @dev An oracle's feeds.
    struct FeedSet {
        uint8 count;
        uint8 inverses; // bit i is set where feed i divides
        bytes32[MAX_FEEDS] ids;
    }

    /// @inheritdoc IOracleAdapter
    address public immutable factory;

    mapping(address oracle => FeedSet) private _feeds;

    /// @dev Windows by the version from which they apply: what was requested keeps its window for ever.
    Checkpoints.Trace208 private _windows;

    /// @dev The smallest granularity of any oracle that was ever served.
    uint256 private _finest = type(uint256).max;

    modifier onlyFactory() {
        if (msg.sender != factory) revert AdapterNotFactory(msg.sender);
        _;
    }

    modifier onlySelf() {
        if (msg.sender != address(this)) revert AdapterNotSelf(msg.sender);
        _;
    }

    /// @param factory_ the OracleFactory
    /// @param owner_ who may change the windows
    /// @param window the windows to begin with
    constructor(address factory_, address owner_, Window memory window) Ownable(owner_) {
        factory = factory_;
        _checkBounds(window);
        _push(0, window);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Keepers
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleAdapter
    function commitInvalid(address[] calldata oracles, uint256 version) external nonReentrant {
        uint256 expiry = _expiry(version, windowOf(version));
        if (block.timestamp < expiry) revert VersionNotExpired(version, expiry);

        Batch memory batch = Batch(version, 0, "");
        for (uint256 i; i < oracles.length; ++i) {
            if (_feeds[oracles[i]].count == 0) {
                _skip(batch, oracles[i], abi.encodeWithSelector(OracleNotServed.selector, oracles[i]));
                continue;
            }
            try IOracle(oracles[i]).commitInvalid(version) {
                ++batch.done;
            } catch (bytes memory reason) {
                _skip(batch, oracles[i], reason);
            }
        }
        _finish(batch);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The owner and the factory
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleAdapter
    function updateWindow(Window calldata window) external onlyOwner {
        _checkBounds(window);
        (, uint48 last,) = _windows.latestCheckpoint();
        if (block.timestamp < last) revert WindowPending(last);

        // The finest grid must keep the old windows apart, the new ones, and the last old one from the first new one.
        uint256 minimum = Math.max(_minimum(window, window), _minimum(windowOf(block.timestamp), window));
        if (_finest < minimum) revert GranularityTooSmall(_finest, minimum);

        _push(block.timestamp + NOTICE, window);
    }

    /// @dev Ownable's way to have no owner is closed.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerRequired();
    }

    /// @inheritdoc IOracleAdapter
    function enlist(address oracle, Feed[] calldata feeds, uint256 granularity) external onlyFactory {
        if (feeds.length == 0 || feeds.length > MAX_FEEDS) revert FeedCountOutOfRange(feeds.length);
        _checkGranularity(granularity);

        FeedSet memory set;
        set.count = uint8(feeds.length);
        for (uint256 i; i < feeds.length; ++i) {
            if (feeds[i].power == -1) set.inverses |= uint8(2 ** i);
            else if (feeds[i].power != 1) revert FeedPowerInvalid(i, feeds[i].power);
            for (uint256 j; j < i; ++j) {
                if (feeds[j].id == feeds[i].id) revert FeedDuplicate(i, feeds[i].id);
            }
            _checkFeed(i, feeds[i].id);
            set.ids[i] = feeds[i].id;
        }
        _feeds[oracle] = set;
    }

    /// @inheritdoc IOracleAdapter
    function admitGranularity(uint256 granularity) external onlyFactory {
        _checkGranularity(granularity);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleAdapter
    function feedsOf(address oracle) external view returns (Feed[] memory feeds) {
        FeedSet memory set = _feeds[oracle];
        feeds = new Feed[](set.count);
        for (uint256 i; i < feeds.length; ++i) {
            feeds[i] = Feed(set.ids[i], set.inverses >> i & 1 == 1 ? int8(-1) : int8(1));
        }
    }

    /// @inheritdoc IOracleAdapter
    function windowOf(uint256 version) public view returns (Window memory) {
        uint256 packed = _windows.upperLookupRecent(version.toUint48());
        return Window(uint32(packed >> 96), uint32(packed >> 64), uint32(packed >> 32), uint32(packed));
    }

    // ---------------------------------------------------------------------------------------------------------------
    // For the adapters
    // ---------------------------------------------------------------------------------------------------------------

    /// @dev What a batch has come to.
    struct Batch {
        uint256 version;
        uint256 done; // oracles committed
        bytes reason; // why the last of the others was not
    }

    /// @dev Notes that an oracle refused.
    function _skip(Batch memory batch, address oracle, bytes memory reason) internal {
        batch.reason = reason;
        emit CommitSkipped(oracle, batch.version, reason);
    }

    /// @dev Where nothing was committed, fails with the reason: then nothing is charged either, and a lone oracle never fails unseen.
    function _finish(Batch memory batch) internal pure {
        if (batch.done != 0) return;
        bytes memory reason = batch.reason;
        if (reason.length == 0) revert BatchEmpty();
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    /// @dev The feeds of an oracle, and which of them divide; none where it was never served.
    function _feedsOf(address oracle) internal view returns (bytes32[] memory ids, uint256 inverses) {
        FeedSet storage set = _feeds[oracle];
        uint256 count;
        (count, inverses) = (set.count, set.inverses);
        ids = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            ids[i] = set.ids[i];
        }
    }

    /// @dev As `_feedsOf`, of an oracle that is or was served. Only those are called: the factory made them.
    function _servedFeeds(address oracle) internal view returns (bytes32[] memory ids, uint256 inverses) {
        (ids, inverses) = _feedsOf(oracle);
        if (ids.length == 0) revert OracleNotServed(oracle);
    }

    /// @dev Whether the version may be committed now, and when its price must have been published: after that of the latest version, and,
    ///      where it is not requested, before the window of the one that waits. The window of a requested version is after the latest
    ///      price by itself, unless that came from an adapter before this one, with other windows.
    function _admit(address oracle, uint256 version, Window memory window)
        internal
        view
        returns (uint256 after_, uint256 before)
    {
        uint256 waiting;
        (waiting, after_) = IOracle(oracle).admit(version);
        if (version != waiting) {
            return (after_, waiting == 0 ? type(uint256).max : waiting + windowOf(waiting).validFrom);
        }
        uint256 expiry = _expiry(version, window);
        if (block.timestamp >= expiry) revert VersionExpired(version, expiry);
        return (after_, type(uint256).max);
    }

    /// @dev From when on a requested version can only be committed as invalid.
    function _expiry(uint256 version, Window memory window) internal pure returns (uint256) {
        return version + window.validTo + window.grace;
    }

    /// @dev Refuses what is not an id of a feed of this adapter.
    function _checkFeed(uint256 index, bytes32 id) internal view virtual;

    /// @dev Seconds that two versions, one with window `a` and the next with window `b`, must be apart.
    function _minimum(Window memory a, Window memory b) internal pure virtual returns (uint256);

    // ---------------------------------------------------------------------------------------------------------------
    // Inside
    // ---------------------------------------------------------------------------------------------------------------

    /// @dev Refuses a granularity that the windows in force, those to come, or the passage to them do not fit.
    function _checkGranularity(uint256 granularity) private {
        Window memory present = windowOf(block.timestamp);
        Window memory coming = windowOf(type(uint48).max);
        uint256 minimum = Math.max(_minimum(present, present), _minimum(coming, coming));
        minimum = Math.max(minimum, _minimum(present, coming));
        if (granularity < minimum) revert GranularityTooSmall(granularity, minimum);
        if (granularity < _finest) _finest = granularity;
    }

    function _checkBounds(Window memory window) private pure {
        bool ordered = window.validFrom <= window.validTo && window.grace >= MIN_GRACE;
        bool bounded = uint256(window.validTo) + window.grace <= MAX_EXPIRY;
        bool confident = window.confidence != 0 && window.confidence <= ONE;
        if (!ordered || !bounded || !confident) revert WindowOutOfRange(window);
    }

    function _push(uint256 from, Window memory window) private {
        uint256 packed = uint256(window.validFrom) << 96 | uint256(window.validTo) << 64;
        packed |= uint256(window.grace) << 32 | window.confidence;
        _windows.push(from.toUint48(), packed.toUint208());
        emit WindowUpdated(from, window);
    }
}
