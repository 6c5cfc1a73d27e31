// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";

/// @title MockFarOracle
/// @notice A provider whose current version is the first that 32 bits cannot hold, for tests.
contract MockFarOracle is IOracleProvider {
    /// @inheritdoc IOracleProvider
    function request(address) external { }

    /// @inheritdoc IOracleProvider
    function status() external pure returns (OracleVersion memory latest, uint256 current) {
        return (OracleVersion(0, 0, false), 1 << 32);
    }

    /// @inheritdoc IOracleProvider
    function at(uint256 timestamp) external pure returns (OracleVersion memory) {
        return OracleVersion(timestamp, 0, false);
    }
}
