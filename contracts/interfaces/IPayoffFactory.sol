// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPayoffFactory
/// @notice Makes the payoffs that markets may use: ± scale · price^(halfPower / 2) (docs/protocol.md §12.1).
/// @dev Open to anyone; has no owner and no state that anyone could change.
interface IPayoffFactory {
    /// @notice A payoff was deployed.
    /// @param payoff its address
    /// @param halfPower twice the exponent, −4 … 4, not 0
    /// @param scale factor, 18 decimals
    /// @param negative whether the result is negated
    event PayoffCreated(address indexed payoff, int256 halfPower, uint256 scale, bool negative);

    /// @notice The exponent is 0 or outside −4 … 4.
    /// @param halfPower what was asked for
    error HalfPowerOutOfRange(int256 halfPower);

    /// @notice The scale is 0 or above 10^36 (a factor of 10^18): no price of any asset would have a payoff that a market takes.
    /// @param scale what was asked for, 18 decimals
    error ScaleOutOfRange(uint256 scale);

    /// @notice The payoff `± scale · price^(halfPower / 2)`; deploys it the first time and returns the same address for ever after.
    /// @dev Anyone may call. Reverts with `HalfPowerOutOfRange` or `ScaleOutOfRange`.
    /// @param halfPower twice the exponent: 2 identity, 4 square, 1 square root, −2 inverse
    /// @param scale factor, 18 decimals: 1e18 is one
    /// @param negative whether the result is negated
    /// @return payoff the contract
    function create(int256 halfPower, uint256 scale, bool negative) external returns (address payoff);

    /// @notice Where the payoff of these parameters is, or will be.
    /// @param halfPower as in `create`
    /// @param scale as in `create`
    /// @param negative as in `create`
    /// @return the address
    function addressOf(int256 halfPower, uint256 scale, bool negative) external view returns (address);

    /// @notice Whether this factory made `payoff`.
    /// @param payoff any address
    /// @return whether it did
    function isPayoff(address payoff) external view returns (bool);
}
