// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBeacon } from "@openzeppelin/contracts/proxy/beacon/IBeacon.sol";

import { VaultParameter } from "../types/VaultParameter.sol";

/// @title VaultFactory: makes vaults and is their beacon (docs/protocol.md §12.2)
/// @notice Its owner, meant to be a timelock, sets the code that all vaults run.
interface IVaultFactory is IBeacon {
    /// @notice A vault was made.
    /// @param vault The vault
    /// @param coordinator Who made it and holds its parameters
    /// @param asset Its token
    event VaultCreated(address indexed vault, address indexed coordinator, address indexed asset);

    /// @notice All vaults run another implementation from now on.
    /// @param implementation Code of the vaults
    event Upgraded(address indexed implementation);

    /// @notice The implementation has no code, or was made for another factory or another registry of markets.
    error InvalidImplementation(address implementation);

    /// @notice The factory always has an owner: without, nobody could mend vaults or replace a coordinator that is lost.
    error OwnerRequired();

    /// @notice Makes a vault; the caller becomes its coordinator. Anyone may call.
    /// @dev Reverts with the MarketFactory's UnsupportedDecimals or the vault's ParameterOutOfBounds.
    /// @param asset ERC-20 of 6 to 18 decimals: the token of all its markets
    /// @param name Of the shares
    /// @param symbol Of the shares
    /// @param parameter Parameters
    /// @return vault The new vault
    function create(address asset, string calldata name, string calldata symbol, VaultParameter calldata parameter)
        external
        returns (address vault);

    /// @notice Sets the code that all vaults run. Owner only; reverts with InvalidImplementation.
    /// @param newImplementation A Vault made for this factory
    function upgradeTo(address newImplementation) external;

    /// @return How many vaults there are
    function vaultCount() external view returns (uint256);

    /// @param index Zero-based, in order of creation
    /// @return The vault; reverts beyond the last
    function vaults(uint256 index) external view returns (address);

    /// @return Whether this factory made the vault
    function isVault(address vault) external view returns (bool);

    /// @return Registry that the markets of vaults must come from
    function marketFactory() external view returns (address);
}
