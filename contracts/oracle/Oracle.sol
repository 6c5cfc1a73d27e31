// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IOracle } from "../interfaces/IOracle.sol";
import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";

/// @title Oracle
/// @notice The versions of one market (docs/protocol.md §11). Deployed whole, not as a proxy: every order of the market reads it, and
///         what may have to be changed is the adapter, not this.
contract Oracle is IOracle {
    using SafeCast for uint256;

    /// @dev Longest spacing of versions.
    uint256 private constant MAX_GRANULARITY = 1 hours;

    /// @dev How long a replaced adapter may take for what was requested of it. No adapter's windows and grace are longer.
    uint256 private constant HANDOVER = 1 days;

    /// @dev All that `status` reads and `request` writes, in one slot:
    ///
    ///      | latest | next | last | from | first − from | granularity | published − latest | valid | price |
    ///      |   32   |  32  |  32  |  32  |      16      |     16      |         24         |   8   |  64   |
    ///
    ///      Requested versions form a list from `next` to `last`, linked in the slots of the versions themselves, which are
    ///      written again when the version is committed: so the link costs a keeper nothing.
    struct State {
        uint32 latest; // newest committed version
        uint32 next; // oldest requested version that is not committed, 0 where none
        uint32 last; // newest requested version, void where `next` is 0
        uint32 from; // last version of the former spacing
        uint16 gap; // from there to the first version of the present spacing
        uint16 granularity;
        uint24 published; // newest price in the latest version: seconds after it
        bool valid;
        int64 price;
    }

    /// @dev One slot a version:
    ///
    ///      | keeper | next | price · 2 + valid |
    ///      |  160   |  32  |        64         |
    struct Stored {
        address keeper; // until it is paid
        uint32 next; // requested version after this one
        uint64 value; // the lowest bit says whether the version is valid, the others are the price
    }

    /// @dev One slot: who may request.
    struct Holder {
        address account; // the creator until the market is bound: a slot that is not zero is cheaper to change
        bool bound;
    }

    /// @dev One slot: who serves which version.
    struct Service {
        address adapter; // all versions after `boundary`
        uint32 boundary; // versions up to this one belong to the adapter before
        uint32 deadline; // until when it may take
    }

    /// @inheritdoc IOracle
    address public immutable factory;

    State private _state;
    Holder private _holder;
    Service private _service;
    address private _previous;
    mapping(uint256 timestamp => Stored) private _versions;

    modifier onlyFactory() {
        if (msg.sender != factory) revert OracleNotFactory(msg.sender);
        _;
    }

    /// @param creator who may open the market
    /// @param adapter_ where prices come from
    /// @param granularity_ seconds between versions
    constructor(address creator, address adapter_, uint256 granularity_) {
        factory = msg.sender;
        _holder.account = creator;
        _service.adapter = adapter_;
        _state.granularity = granularity_.toUint16();
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The market's side
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleProvider
    function request(address) external {
        Holder memory holder = _holder;
        if (!holder.bound || msg.sender != holder.account) revert OracleNotMarket(msg.sender);

        State memory state = _state;
        uint32 version = _current(state).toUint32();
        if (state.next == 0) state.next = version;
        else if (state.last == version) return;
        else _versions[state.last].next = version;
        state.last = version;
        _state = state;
        emit VersionRequested(version);
    }

    /// @inheritdoc IOracleProvider
    function status() external view returns (OracleVersion memory latest, uint256 current) {
        State memory state = _state;
        return (OracleVersion(state.latest, state.price, state.valid), _current(state));
    }

    /// @inheritdoc IOracleProvider
    function at(uint256 timestamp) external view returns (OracleVersion memory) {
        uint256 value = _versions[timestamp].value;
        return OracleVersion(timestamp, int256(value >> 1), value & 1 == 1);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The adapter's side
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracle
    function admit(uint256 version) external view returns (uint256 waiting, uint256 published) {
        State memory state = _admit(version);
        return (state.next, uint256(state.latest) + state.published);
    }

    /// @inheritdoc IOracle
    function commit(uint256 version, uint256 price, uint256 published, address keeper) external {
        State memory state = _admit(version);
        if (price == 0 || price > uint64(type(int64).max)) revert PriceOutOfRange(price);

        _advance(state, version);
        state.published = (published - version).toUint24();
        state.valid = true;
        // casts: checked above
        state.price = int64(uint64(price));
        _state = state;

        Stored storage stored = _versions[version];
        stored.keeper = keeper;
        // casts: checked above
        stored.value = uint64(price << 1 | 1);
        emit VersionCommitted(version, int256(price), true, keeper);
    }

    /// @inheritdoc IOracle
    function commitInvalid(uint256 version) external {
        _checkAdapter(version);
        State memory state = _state;
        if (version == 0 || version != state.next) revert VersionNotNext(version, state.next);
        _invalidate(state);
        _state = state;
    }

    /// @inheritdoc IOracle
    function expire(uint256 max) external {
        State memory state = _state;
        Service memory service = _service;
        if (state.next == 0 || state.next > service.boundary || block.timestamp < service.deadline) {
            revert HandoverNotOverdue(state.next, service.boundary, service.deadline);
        }
        for (uint256 i; i < max && state.next != 0 && state.next <= service.boundary; ++i) {
            _invalidate(state);
        }
        _state = state;
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The factory's side
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracle
    function bind(address market_) external onlyFactory {
        _holder = Holder(market_, true);
    }

    /// @inheritdoc IOracle
    function replaceAdapter(address adapter_) external onlyFactory returns (uint256 boundary) {
        State memory state = _state;
        Service memory service = _service;
        if (adapter_ == service.adapter) revert AdapterInService(adapter_);
        if (state.next != 0 && state.next <= service.boundary) revert HandoverPending(state.next, service.boundary);

        boundary = state.next == 0 ? state.latest : state.last;
        _previous = service.adapter;
        uint256 deadline = Math.max(block.timestamp, boundary) + HANDOVER;
        _service = Service(adapter_, boundary.toUint32(), deadline.toUint32());
    }

    /// @inheritdoc IOracle
    function updateGranularity(uint256 granularity_) external onlyFactory returns (uint256 from) {
        if (granularity_ == 0 || granularity_ > MAX_GRANULARITY) revert GranularityOutOfRange(granularity_);
        State memory state = _state;
        from = _current(state);

        // The grids of both spacings need not meet. Where the next point of the new one is closer than either spacing, the windows of
        // the two versions could overlap: that point is left out.
        uint256 first = from + Math.min(state.granularity, granularity_);
        first = Math.ceilDiv(first, granularity_) * granularity_;

        state.from = from.toUint32();
        state.gap = (first - from).toUint16();
        state.granularity = granularity_.toUint16();
        _state = state;
    }

    /// @inheritdoc IOracle
    function collect(uint256 version, address keeper) external onlyFactory returns (bool) {
        Stored storage stored = _versions[version];
        if (keeper == address(0) || stored.keeper != keeper) return false;
        stored.keeper = address(0);
        return true;
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracle
    function next() external view returns (uint256) {
        return _state.next;
    }

    /// @inheritdoc IOracle
    function keeperOf(uint256 version) external view returns (address) {
        return _versions[version].keeper;
    }

    /// @inheritdoc IOracle
    function granularity() external view returns (uint256) {
        return _state.granularity;
    }

    /// @inheritdoc IOracle
    function adapter() external view returns (address) {
        return _service.adapter;
    }

    /// @inheritdoc IOracle
    function adapterOf(uint256 version) public view returns (address) {
        Service memory service = _service;
        // Without a hand-over the boundary is 0. With one, `_previous` is a slot of its own that only old versions read.
        return version > service.boundary ? service.adapter : _previous;
    }

    /// @inheritdoc IOracle
    function handover() external view returns (address previous, uint256 boundary, uint256 deadline) {
        return (_previous, _service.boundary, _service.deadline);
    }

    /// @inheritdoc IOracle
    function market() external view returns (address) {
        return _holder.bound ? _holder.account : address(0);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Inside
    // ---------------------------------------------------------------------------------------------------------------

    /// @dev The version of what is ordered now. The one function that stamps orders and requests alike.
    function _current(State memory state) private view returns (uint256) {
        if (block.timestamp < state.from) return state.from;
        uint256 first = uint256(state.from) + state.gap;
        if (block.timestamp < first) return first;
        return block.timestamp / state.granularity * state.granularity + state.granularity;
    }

    /// @dev Makes `version` the latest. Whatever waits comes after it.
    function _advance(State memory state, uint256 version) private view {
        if (version == state.next) state.next = version == state.last ? 0 : _versions[version].next;
        state.latest = version.toUint32();
    }

    /// @dev Commits the version that waits as invalid. Its own slot stays as it is, which reads as invalid.
    function _invalidate(State memory state) private {
        uint256 version = state.next;
        _advance(state, version);
        state.published = 0;
        state.valid = false;
        state.price = 0;
        emit VersionCommitted(version, 0, false, address(0));
    }

    /// @dev The state, if the caller may commit `version` next.
    function _admit(uint256 version) private view returns (State memory state) {
        _checkAdapter(version);
        state = _state;
        if (version <= state.latest) revert VersionNotNewer(version, state.latest);
        if (version > block.timestamp) revert VersionInFuture(version);
        if (state.next != 0 && version > state.next) revert VersionOutOfOrder(version, state.next);
    }

    function _checkAdapter(uint256 version) private view {
        address serving = adapterOf(version);
        if (msg.sender != serving) revert OracleNotAdapter(msg.sender, serving);
    }
}
