// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPayoffProvider
/// @notice Turns the price of an oracle into the price of a market (docs/protocol.md §12.1).
/// @dev A function of the price alone, so that every version has one payoff for ever. Where it reverts the market treats the version
///      as invalid.
interface IPayoffProvider {
    /// @notice The market's price at the oracle's price.
    /// @param price the oracle's price, 6 decimals
    /// @return the payoff, 6 decimals; may be negative, never 0
    function payoff(int256 price) external view returns (int256);
}
