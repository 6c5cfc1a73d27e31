// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MockToken } from "./MockToken.sol";

/// @title MockCallbackToken
/// @notice A token that makes a call of its own at every transfer, for tests of re-entrancy.
contract MockCallbackToken is MockToken {
    address private _target;
    bytes private _call;

    constructor() MockToken("Callback Dollar", "cUSD", 18) { }

    /// @notice Calls `target` with `data` at every transfer from now on, and reverts as the call does.
    /// @param target who is called; zero for nobody
    /// @param data the call
    function arm(address target, bytes calldata data) external {
        _target = target;
        _call = data;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        (bool success, bytes memory reason) = _target.call(_call);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
