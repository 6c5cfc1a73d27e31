// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IPythOracle } from "../interfaces/IPythOracle.sol";

/// @title MockKeeper
/// @notice A keeper that is a contract, and does not simply take its change: it refuses it, or commits again meanwhile.
contract MockKeeper {
    IPythOracle private immutable _adapter;
    bool private immutable _again;
    bytes private _call;

    /// @notice It does not take its change.
    error ChangeRefused();

    /// @param adapter where it commits
    /// @param again whether it commits again when it receives its change; else it refuses that
    constructor(IPythOracle adapter, bool again) {
        _adapter = adapter;
        _again = again;
    }

    /// @notice Commits, with all ETH that comes with the call.
    /// @param oracles as in `commit`
    /// @param version as in `commit`
    /// @param updateData as in `commit`
    function commit(address[] calldata oracles, uint256 version, bytes[] calldata updateData) external payable {
        _call = abi.encodeCall(IPythOracle.commit, (oracles, version, updateData));
        _adapter.commit{ value: msg.value }(oracles, version, updateData);
    }

    /// @notice Refuses, or commits the same once more and refuses when that fails.
    receive() external payable {
        if (!_again) revert ChangeRefused();
        (bool done,) = address(_adapter).call{ value: msg.value }(_call);
        if (!done) revert ChangeRefused();
    }
}
