// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The market's price, funding rate and fees that are not yet split (slot G3).
/// @param price Latest valid price, payoff applied, raw with 6 decimals, |price| < 10^17
/// @param valid Whether the version that the market is settled to has a price
/// @param fundingRate Rate per year, 12 decimals
/// @param undistributed Fees collected since the last split, USD with 6 decimals
/// @param settlementFees Settlement fees charged since the last split, USD with 6 decimals
/// @param protocolFee Protocol's share of fees in force, 6 decimals
struct Pricing {
    int256 price;
    bool valid;
    int256 fundingRate;
    uint256 undistributed;
    uint256 settlementFees;
    uint256 protocolFee;
}

/// @title Slot G3
library PricingStorage {
    uint256 internal constant MAX_UNDISTRIBUTED = (1 << 62) - 1;
    uint256 internal constant MAX_SETTLEMENT_FEES = (1 << 56) - 1;

    // | price 58 signed | valid 1 | funding rate 54 signed | undistributed 62 | settlement fees 56 | protocol fee 24 |
    /// @dev Unpacks G3.
    function load(uint256 word) internal pure returns (Pricing memory self) {
        // casts: sign extension by shifting up and back
        self.price = price(word);
        self.valid = valid(word);
        self.fundingRate = int256(word << 143) >> 202;
        self.undistributed = (word >> 113) & MAX_UNDISTRIBUTED;
        self.settlementFees = (word >> 175) & MAX_SETTLEMENT_FEES;
        self.protocolFee = (word >> 231) & type(uint24).max;
    }

    /// @dev The price alone.
    function price(uint256 word) internal pure returns (int256) {
        return int256(word << 198) >> 198;
    }

    /// @dev The validity alone.
    function valid(uint256 word) internal pure returns (bool) {
        return (word >> 58) & 1 == 1;
    }

    /// @dev |price| < 10^17 < 2^57 by §1.5; |rate| ≤ 2^32 · 10^6 < 2^53 by §4.3; the fees are split before they overflow.
    function store(Pricing memory self) internal pure returns (uint256) {
        // casts: two's complement, cut to its bits
        return (uint256(self.price) & ((1 << 58) - 1)) | (self.valid ? 1 << 58 : 0)
            | (uint256(self.fundingRate) & ((1 << 54) - 1)) << 59 | self.undistributed << 113 | self.settlementFees
            << 175 | self.protocolFee << 231;
    }
}
