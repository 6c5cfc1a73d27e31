// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";

/// @title MockOracle
/// @notice A provider that does what a test says: no keeper, no clock, no checks. As dear to read and to ask as the real one.
contract MockOracle is IOracleProvider {
    /// @dev One slot, like the real oracle's.
    struct State {
        uint32 latest;
        uint32 current;
        uint32 requested;
        uint32 requests;
        int120 price;
        bool valid;
    }

    /// @dev One slot a version.
    struct Stored {
        int248 price;
        bool valid;
    }

    State private _state;
    mapping(uint256 timestamp => Stored) private _versions;

    /// @notice Commits a version, makes it the latest, and sets the current one.
    /// @param latest the version
    /// @param price 6 decimals
    /// @param valid whether it is valid
    /// @param current the version of new orders
    function set(uint256 latest, int256 price, bool valid, uint256 current) external {
        _store(latest, price, valid);
        _state.latest = uint32(latest);
        _state.price = valid ? int120(price) : int120(0);
        _state.valid = valid;
        _state.current = uint32(current);
    }

    /// @notice Commits a valid version and makes it the latest; the current one stays.
    /// @param version the version
    /// @param price 6 decimals
    function commit(uint256 version, int256 price) external {
        _store(version, price, true);
        _state.latest = uint32(version);
        _state.price = int120(price);
        _state.valid = true;
    }

    /// @notice Commits a version as invalid and makes it the latest; the current one stays.
    /// @param version the version
    function commitInvalid(uint256 version) external {
        _store(version, 0, false);
        _state.latest = uint32(version);
        _state.price = 0;
        _state.valid = false;
    }

    /// @notice Sets the version of new orders.
    /// @param current Unix seconds
    function setCurrent(uint256 current) external {
        _state.current = uint32(current);
    }

    /// @notice Sets what `at` answers, and nothing else.
    /// @param version the version
    /// @param price 6 decimals
    /// @param valid whether it is valid
    function setVersion(uint256 version, int256 price, bool valid) external {
        _store(version, price, valid);
    }

    /// @inheritdoc IOracleProvider
    function request(address) external {
        State memory state = _state;
        if (state.requested == state.current) return;
        state.requested = state.current;
        ++state.requests;
        _state = state;
    }

    /// @notice How many versions were requested so far.
    /// @return their number; several requests of one version count once
    function requests() external view returns (uint256) {
        return _state.requests;
    }

    /// @notice The newest version that was requested.
    /// @return Unix seconds, 0 where there is none
    function requested() external view returns (uint256) {
        return _state.requested;
    }

    /// @inheritdoc IOracleProvider
    function status() external view returns (OracleVersion memory latest, uint256 current) {
        State memory state = _state;
        return (OracleVersion(state.latest, state.price, state.valid), state.current);
    }

    /// @inheritdoc IOracleProvider
    function at(uint256 timestamp) external view returns (OracleVersion memory) {
        Stored memory stored = _versions[timestamp];
        return OracleVersion(timestamp, stored.price, stored.valid);
    }

    /// @dev What is invalid has no price.
    function _store(uint256 version, int256 price, bool valid) private {
        _versions[version] = Stored(valid ? int248(price) : int248(0), valid);
    }
}
