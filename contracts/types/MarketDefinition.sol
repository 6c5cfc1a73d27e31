// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a market is made of, fixed at its creation but for `reward` and `beneficiary` (docs/protocol.md §3.2).
/// @param token ERC-20 of 6 to 18 decimals that the market settles in: the quote currency of the oracle's price
/// @param reward ERC-20 of 6 to 18 decimals that rewards are paid in; zero for none yet
/// @param oracle Price provider from the registered OracleFactory, not used by another market
/// @param payoff Payoff provider from the registered PayoffFactory; zero for the price itself
/// @param beneficiary Who may claim the donation
struct MarketDefinition {
    address token;
    address reward;
    address oracle;
    address payoff;
    address beneficiary;
}
