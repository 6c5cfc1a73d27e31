// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IPayoffProvider } from "../interfaces/IPayoffProvider.sol";
import { IPowerPayoff } from "../interfaces/IPowerPayoff.sol";

/// @title PowerPayoff
/// @notice ± scale · price^(halfPower / 2) (docs/protocol.md §12.1).
/// @dev With raw price p (6 decimals), raw scale s (18 decimals) and n = halfPower, the raw result for an even n is
///
///          s · p^(n/2) / 10^(12 + 3n)                 since  s/10^18 · (p/10^6)^(n/2) · 10^6
///
///      and for an odd n, where a root is left, the root of its square
///
///          s² · p^n / 10^(24 + 6n)
///
///      A negative power of p divides. Each is one division rounded down, and the root of a number rounded down is the root rounded
///      down, so the result is exact to the last digit.
contract PowerPayoff is IPowerPayoff {
    /// @dev Below this p³ · 10^6 fits 256 bits.
    uint256 private constant MAX_PRICE = 2 ** 72;

    /// @dev Largest result, 10^32 USD: far beyond what a market takes.
    uint256 private constant MAX_PAYOFF = 1e38;

    /// @inheritdoc IPowerPayoff
    int256 public immutable halfPower;

    /// @inheritdoc IPowerPayoff
    uint256 public immutable scale;

    /// @inheritdoc IPowerPayoff
    bool public immutable negative;

    /// @dev s or s², and its divisor; a root is to be drawn where n is odd; the power of p, and whether it divides.
    uint256 private immutable _factor;
    uint256 private immutable _divisor;
    uint256 private immutable _exponent;
    bool private immutable _root;
    bool private immutable _inverse;

    /// @param halfPower_ −4 … 4, not 0
    /// @param scale_ 1 … 10^36
    /// @param negative_ whether the result is negated
    constructor(int256 halfPower_, uint256 scale_, bool negative_) {
        (halfPower, scale, negative) = (halfPower_, scale_, negative_);
        bool root = halfPower_ % 2 != 0;
        int256 power = root ? halfPower_ : halfPower_ / 2;
        (_root, _inverse) = (root, power < 0);
        _factor = root ? scale_ * scale_ : scale_;
        _divisor = 10 ** uint256((root ? int256(24) : int256(12)) + 6 * power);
        _exponent = uint256(power < 0 ? -power : power);
    }

    /// @inheritdoc IPayoffProvider
    function payoff(int256 price) external view returns (int256) {
        if (price <= 0) revert PriceNotPositive(price);
        if (uint256(price) >= MAX_PRICE) revert PayoffOverflow(price);

        uint256 result = _scaled(uint256(price) ** _exponent, price);
        if (_root) result = Math.sqrt(result);
        if (result == 0) revert PayoffZero(price);
        if (result >= MAX_PAYOFF) revert PayoffOverflow(price);
        return negative ? -int256(result) : int256(result);
    }

    /// @dev factor · power / divisor, or factor / (power · divisor).
    function _scaled(uint256 power, int256 price) private view returns (uint256) {
        if (_inverse) return _factor / (power * _divisor);
        (uint256 high,) = Math.mul512(_factor, power);
        if (high >= _divisor) revert PayoffOverflow(price);
        return Math.mulDiv(_factor, power, _divisor);
    }
}
