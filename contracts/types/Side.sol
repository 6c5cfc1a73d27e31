// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The side that an account is on (docs/protocol.md §5.2).
enum Side {
    None,
    Maker,
    Long,
    Short
}
