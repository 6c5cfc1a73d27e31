// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A signed fixed-point number with 6 decimals, as it crosses a contract boundary (docs/protocol.md §1.1).
/// @dev See UFixed6 for why it is a type of its own and what happens inside a computation.
type Fixed6 is int256;

using { raw } for Fixed6 global;

/// @return The integer behind the number: 1e6 is 1.
function raw(Fixed6 a) pure returns (int256) {
    return Fixed6.unwrap(a);
}
