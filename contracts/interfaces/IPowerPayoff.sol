// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IPayoffProvider } from "./IPayoffProvider.sol";

/// @title IPowerPayoff
/// @notice The payoff ± scale · price^(halfPower / 2), exact to the last of 6 decimals, rounded toward zero (docs/protocol.md §12.1).
/// @dev `payoff` reverts with `PriceNotPositive`, `PayoffOverflow` or `PayoffZero`.
interface IPowerPayoff is IPayoffProvider {
    /// @notice The price is 0 or negative, where powers have no value or no sense.
    /// @param price 6 decimals
    error PriceNotPositive(int256 price);

    /// @notice The price or its payoff is too large to compute with: a price of 4.7 · 10^15 or more, or a payoff of 10^32 or more.
    /// @param price 6 decimals
    error PayoffOverflow(int256 price);

    /// @notice The payoff rounds to 0, which is no price.
    /// @param price 6 decimals
    error PayoffZero(int256 price);

    /// @notice Twice the exponent.
    /// @return −4 … 4, not 0
    function halfPower() external view returns (int256);

    /// @notice The factor.
    /// @return 18 decimals
    function scale() external view returns (uint256);

    /// @notice Whether the result is negated.
    /// @return whether it is
    function negative() external view returns (bool);
}
