// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

/// @title Divisions that say which way they round, and saturating sums (docs/protocol.md §1.4)
library Rounding {
    /// @dev Quotient rounded toward minus infinity: what is received shrinks, what is paid grows. `b` is positive.
    function floorDiv(int256 a, uint256 b) internal pure returns (int256) {
        unchecked {
            // casts: every divisor here is far below 2^255
            int256 divisor = int256(b);
            int256 quotient = a / divisor;
            return a < 0 && quotient * divisor != a ? quotient - 1 : quotient;
        }
    }

    /// @dev Quotient rounded up.
    function ceilDiv(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return a == 0 ? 0 : (a - 1) / b + 1;
        }
    }

    /// @dev `a` brought into [-bound, bound].
    function clamp(int256 a, int256 bound) internal pure returns (int256) {
        unchecked {
            return SignedMath.max(-bound, SignedMath.min(a, bound));
        }
    }

    /// @dev `a - b`, zero where that would be negative.
    function subFloor(uint256 a, uint256 b) internal pure returns (uint256) {
        return Math.saturatingSub(a, b);
    }
}
