// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock
/// @notice Owner of the protocol on real networks (docs/protocol.md §2): OpenZeppelin's TimelockController, unchanged.
contract Timelock is TimelockController {
    /// @param minDelay Seconds between scheduling and executing
    /// @param proposers Who may schedule and cancel
    /// @param executors Who may execute; the zero address for anyone
    /// @param admin Who may grant roles beside the timelock itself; zero for nobody
    constructor(uint256 minDelay, address[] memory proposers, address[] memory executors, address admin)
        TimelockController(minDelay, proposers, executors, admin)
    { }
}
