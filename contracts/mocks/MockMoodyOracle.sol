// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";

/// @title MockMoodyOracle
/// @notice Another provider's answers, as long as it is in the mood.
contract MockMoodyOracle is IOracleProvider {
    enum Mood {
        Answers,
        Reverts,
        Burns
    }

    /// @notice Whom it asks.
    IOracleProvider public immutable provider;

    /// @notice Whether it answers, reverts, or burns all gas.
    Mood public mood;

    /// @param provider_ whom it asks
    constructor(IOracleProvider provider_) {
        provider = provider_;
    }

    /// @notice Changes the mood.
    /// @param mood_ the new one
    function set(Mood mood_) external {
        mood = mood_;
    }

    /// @inheritdoc IOracleProvider
    function request(address account) external {
        _feel();
        provider.request(account);
    }

    /// @inheritdoc IOracleProvider
    function status() external view returns (OracleVersion memory latest, uint256 current) {
        _feel();
        return provider.status();
    }

    /// @inheritdoc IOracleProvider
    function at(uint256 timestamp) external view returns (OracleVersion memory) {
        _feel();
        return provider.at(timestamp);
    }

    function _feel() private view {
        // solhint-disable-next-line gas-custom-errors, reason-string
        if (mood == Mood.Reverts) revert();
        if (mood == Mood.Burns) {
            assembly ("memory-safe") {
                invalid()
            }
        }
    }
}
