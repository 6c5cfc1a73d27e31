// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IMarketFees
/// @notice What the OracleFactory needs of a market to pay keepers (docs/protocol.md §8, §11.6). All amounts have 6 decimals.
interface IMarketFees {
    /// @notice Where the market's prices come from.
    /// @return the provider
    function oracle() external view returns (address);

    /// @notice What the market is settled in.
    /// @return the token, of 6 to 18 decimals
    function token() external view returns (address);

    /// @notice Settlement fees charged at a version.
    /// @param version timestamp
    /// @return their sum once the market has settled the version; 0 before, and where it was invalid
    function settlementFees(uint256 version) external view returns (uint256);

    /// @notice Settlement fees charged at all versions up to the last split of fees; `claimFee` splits first.
    /// @return their sum since the market began
    function settlementFeesTotal() external view returns (uint256);

    /// @notice Pays out the fees that are the caller's by its roles: to the OracleFactory, the oracle fee.
    /// @param receiver who receives
    /// @return what was paid
    function claimFee(address receiver) external returns (uint256);
}
