// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PriceMath, Quote } from "../oracle/PriceMath.sol";

/// @title MockPriceMath
/// @notice Makes the library callable for tests.
contract MockPriceMath {
    /// @notice As PriceMath's.
    /// @param quotes prices, one to four
    /// @param inverses bit i is set where quote i divides
    /// @return 6 decimals
    function product(Quote[] calldata quotes, uint256 inverses) external pure returns (uint256) {
        return PriceMath.product(quotes, inverses);
    }
}
