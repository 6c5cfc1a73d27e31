// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An unsigned fixed-point number with 6 decimals, as it crosses a contract boundary (docs/protocol.md §1.1).
///         Its own type, so that a raw integer or a number of other decimals cannot be passed by mistake.
/// @dev Inside a computation the contracts unwrap it and say the decimals of each integer in its name or comment,
///      because products of two such numbers (12 decimals) are rounded once, at the end (§1.4).
type UFixed6 is uint256;

using { raw } for UFixed6 global;

/// @return The integer behind the number: 1e6 is 1.
function raw(UFixed6 a) pure returns (uint256) {
    return UFixed6.unwrap(a);
}
