// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { VaultBase } from "./VaultBase.sol";
import { VaultClosing } from "./VaultClosing.sol";

/// @title VaultEpochs: closing, settling and rebalancing, over the storage of a Vault, which delegates to it
contract VaultEpochs is VaultClosing {
    /// @param marketFactory_ Registry that markets come from
    constructor(address marketFactory_) VaultBase(marketFactory_) { }
}
