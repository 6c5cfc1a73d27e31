// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IOracleAdapter } from "../interfaces/IOracleAdapter.sol";

/// @notice A feed's price as the feed gives it: `mantissa · 10^exponent`.
struct Quote {
    uint256 mantissa;
    int256 exponent;
}

/// @title PriceMath
/// @notice Products of prices in exact integers (docs/protocol.md §11.2, §11.5).
library PriceMath {
    /// @dev Digits of the result.
    int256 private constant DECIMALS = 6;

    /// @dev Mantissas are below this: with it, products of two fit 256 bits, and 18 decimals leave room for prices of 7.9 · 10^10.
    uint256 internal constant MAX_MANTISSA = 2 ** 96;

    /// @dev 10^77 is the largest power of ten in 256 bits.
    uint256 private constant MAX_EXPONENT = 77;

    /// @notice The product of the quotes, each to its power, rounded once: toward zero, to 6 decimals.
    /// @dev Reverts with `PriceNotRepresentable` where that is 0 or does not fit. The numerator is kept as two factors of at most two
    ///      quotes each, multiplied in 512 bits.
    /// @param quotes one to four, positive mantissas below `MAX_MANTISSA`
    /// @param inverses bit i is set where quote i divides
    /// @return price 6 decimals
    function product(Quote[] memory quotes, uint256 inverses) internal pure returns (uint256 price) {
        uint256 x = 1;
        uint256 y = 1;
        uint256 divisor = 1;
        int256 exponent = DECIMALS;

        for (uint256 i; i < quotes.length; ++i) {
            uint256 mantissa = quotes[i].mantissa;
            if (inverses >> i & 1 == 1) {
                divisor = _mul(divisor, mantissa);
                exponent -= quotes[i].exponent;
            } else {
                if (i < 2) x *= mantissa;
                else y *= mantissa;
                exponent += quotes[i].exponent;
            }
        }

        if (exponent >= 0) y = _mul(y, _power(uint256(exponent)));
        else divisor = _mul(divisor, _power(uint256(-exponent)));

        (uint256 high,) = Math.mul512(x, y);
        if (high >= divisor) revert IOracleAdapter.PriceNotRepresentable();
        price = Math.mulDiv(x, y, divisor);
        if (price == 0) revert IOracleAdapter.PriceNotRepresentable();
    }

    function _mul(uint256 a, uint256 b) private pure returns (uint256 result) {
        bool fits;
        (fits, result) = Math.tryMul(a, b);
        if (!fits) revert IOracleAdapter.PriceNotRepresentable();
    }

    function _power(uint256 exponent) private pure returns (uint256) {
        if (exponent > MAX_EXPONENT) revert IOracleAdapter.PriceNotRepresentable();
        return 10 ** exponent;
    }
}
