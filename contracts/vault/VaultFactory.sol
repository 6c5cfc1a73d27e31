// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { BeaconProxy } from "@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol";

import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { IVault } from "../interfaces/IVault.sol";
import { IVaultFactory } from "../interfaces/IVaultFactory.sol";
import { VaultParameter } from "../types/VaultParameter.sol";
import { VaultBase } from "./VaultBase.sol";

/// @title VaultFactory
/// @notice See IVaultFactory.
contract VaultFactory is IVaultFactory, Ownable2Step {
    /// @inheritdoc IVaultFactory
    address public immutable marketFactory;

    /// @notice Code that all vaults run.
    address public implementation;

    /// @inheritdoc IVaultFactory
    address[] public vaults;

    /// @inheritdoc IVaultFactory
    mapping(address vault => bool) public isVault;

    /// @param initialOwner Owner; a timelock on real networks
    /// @param marketFactory_ Registry that the markets of vaults must come from
    constructor(address initialOwner, address marketFactory_) Ownable(initialOwner) {
        marketFactory = marketFactory_;
    }

    /// @inheritdoc IVaultFactory
    function create(address asset, string calldata name, string calldata symbol, VaultParameter calldata parameter)
        external
        returns (address vault)
    {
        uint256 scale = IMarketFactory(marketFactory).tokenScale(asset);
        vault = address(new BeaconProxy(address(this), ""));
        isVault[vault] = true;
        vaults.push(vault);
        emit VaultCreated(vault, msg.sender, asset);
        IVault(vault).initialize(asset, scale, name, symbol, msg.sender, parameter);
    }

    /// @inheritdoc IVaultFactory
    function upgradeTo(address newImplementation) external onlyOwner {
        if (
            newImplementation.code.length == 0 || IVault(newImplementation).factory() != address(this)
                || VaultBase(newImplementation).marketFactory() != marketFactory
        ) {
            revert InvalidImplementation(newImplementation);
        }
        implementation = newImplementation;
        emit Upgraded(newImplementation);
    }

    /// @dev Ownable's way to have no owner is closed.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerRequired();
    }

    /// @inheritdoc IVaultFactory
    function vaultCount() external view returns (uint256) {
        return vaults.length;
    }
}
