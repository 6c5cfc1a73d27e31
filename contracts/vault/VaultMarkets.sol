// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IMarket } from "../interfaces/IMarket.sol";
import { Fixed6 } from "../math/Fixed6.sol";
import { VaultBase } from "./VaultBase.sol";
import { VaultStorage } from "./VaultStorage.sol";

/// @title A vault's calls of markets: none of them can stop the vault
abstract contract VaultMarkets is VaultBase {
    using SafeCast for uint256;

    /// @dev Gas of a call of a market, at most: what burns all of it leaves enough to go on.
    uint256 private constant CALL_GAS = 8_000_000;

    /// @dev Settles the vault's account in a market, if the market can: what it says afterwards is of now.
    function bring(address market) internal returns (bool success) {
        (success,) = attempt(market, abi.encodeCall(IMarket.settle, (address(this))));
    }

    /// @dev A call that may fail, but not for want of gas: an innermost call that runs out leaves less than a quarter.
    function attempt(address target, bytes memory data) private returns (bool success, bytes memory result) {
        uint256 before = gasleft();
        (success, result) = target.call{ gas: CALL_GAS }(data);
        if (!success && gasleft() < before / 4) revert InsufficientGas();
    }

    /// @dev Market.update of the vault's account; what the market refuses changes nothing.
    /// @param delta Change of maker size
    /// @param collateral USD in or out
    function update(VaultStorage storage $, address market, int256 delta, int256 collateral)
        internal
        returns (bool success)
    {
        bytes memory result;
        (success, result) = attempt(
            market,
            abi.encodeCall(
                IMarket.update, (address(this), Fixed6.wrap(delta), Fixed6.wrap(0), Fixed6.wrap(collateral), address(0))
            )
        );
        if (!success) {
            emit OrderRefused(market, result);
            return false;
        }
        // casts: collateral is below 2^64
        uint256 scale = $.scale;
        if (collateral < 0) $.idle += (uint256(-collateral) * scale).toUint128();
        else if (collateral > 0) $.idle -= (uint256(collateral) * scale).toUint128();
    }
}
