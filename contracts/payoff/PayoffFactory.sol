// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Create2 } from "@openzeppelin/contracts/utils/Create2.sol";

import { IPayoffFactory } from "../interfaces/IPayoffFactory.sol";
import { PowerPayoff } from "./PowerPayoff.sol";

/// @title PayoffFactory
/// @notice Makes the payoffs that markets may use, each once (docs/protocol.md §12.1).
contract PayoffFactory is IPayoffFactory {
    /// @dev Twice the largest exponent.
    int256 private constant MAX_HALF_POWER = 4;

    /// @dev 10^18 with 18 decimals: its square fits 256 bits.
    uint256 private constant MAX_SCALE = 1e36;

    /// @inheritdoc IPayoffFactory
    mapping(address payoff => bool) public isPayoff;

    /// @inheritdoc IPayoffFactory
    function create(int256 halfPower, uint256 scale, bool negative) external returns (address payoff) {
        if (halfPower == 0 || halfPower < -MAX_HALF_POWER || halfPower > MAX_HALF_POWER) {
            revert HalfPowerOutOfRange(halfPower);
        }
        if (scale == 0 || scale > MAX_SCALE) revert ScaleOutOfRange(scale);

        payoff = addressOf(halfPower, scale, negative);
        if (isPayoff[payoff]) return payoff;
        isPayoff[payoff] = true;
        new PowerPayoff{ salt: 0 }(halfPower, scale, negative);
        emit PayoffCreated(payoff, halfPower, scale, negative);
    }

    /// @inheritdoc IPayoffFactory
    function addressOf(int256 halfPower, uint256 scale, bool negative) public view returns (address) {
        bytes memory code = abi.encodePacked(type(PowerPayoff).creationCode, abi.encode(halfPower, scale, negative));
        return Create2.computeAddress(0, keccak256(code));
    }
}
