// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { FeeTerms } from "../types/FeeTerms.sol";
import { Pricing, PricingStorage } from "../types/Pricing.sol";
import { MarketStorage } from "./MarketStorage.sol";

/// @notice Fees that can be claimed, USD with 6 decimals (docs/protocol.md §8).
struct ClaimableFees {
    uint256 protocol;
    uint256 oracle;
    uint256 risk;
    uint256 donation;
}

/// @title Fees: collected as one sum, split when it matters (docs/protocol.md §8)
/// @dev The split uses the parameters in force while the fees were collected: it is made before any of them changes,
///      when somebody claims, and when the donation is needed.
library Fees {
    // | protocol 64 | oracle 64 | risk 64 | donation 64 |
    function load(uint256 word) internal pure returns (ClaimableFees memory self) {
        self.protocol = word & type(uint64).max;
        self.oracle = (word >> 64) & type(uint64).max;
        self.risk = (word >> 128) & type(uint64).max;
        self.donation = word >> 192;
    }

    /// @dev Saturates: settlement never reverts (§1.6).
    function store(ClaimableFees memory self) internal pure returns (uint256) {
        uint256 max = type(uint64).max;
        return Math.min(self.protocol, max) | Math.min(self.oracle, max) << 64 | Math.min(self.risk, max) << 128
            | Math.min(self.donation, max) << 192;
    }

    /// @notice Adds a version's fees, in memory.
    /// @param fee USD with 12 decimals, rounded down to 6 here, once a version
    /// @param settlement Settlement fees, USD with 6 decimals
    /// @return fee6 What the market's fees grew by, USD with 6 decimals
    function collect(MarketStorage storage $, Pricing memory pricing, FeeTerms terms, uint256 fee, uint256 settlement)
        internal
        returns (uint256 fee6)
    {
        unchecked {
            fee6 = Math.min(fee / 1e6, PricingStorage.MAX_UNDISTRIBUTED);
            settlement = Math.min(settlement, PricingStorage.MAX_SETTLEMENT_FEES);
            if (
                pricing.undistributed + fee6 > PricingStorage.MAX_UNDISTRIBUTED
                    || pricing.settlementFees + settlement > PricingStorage.MAX_SETTLEMENT_FEES
            ) split($, pricing, terms);
            pricing.undistributed += fee6;
            pricing.settlementFees += settlement;
        }
    }

    /// @notice Splits what was collected. The caller stores `pricing`.
    function split(MarketStorage storage $, Pricing memory pricing, FeeTerms terms) internal {
        if (pricing.undistributed == 0 && pricing.settlementFees == 0) return;
        $.claimableFees = store(afterSplit(load($.claimableFees), pricing, terms));
        // The upper half of `totals` counts the settlement fees.
        $.totals += pricing.settlementFees << 128;
        pricing.undistributed = 0;
        pricing.settlementFees = 0;
    }

    /// @notice What can be claimed once the collected fees are split; rounding goes to the donation.
    function afterSplit(ClaimableFees memory self, Pricing memory pricing, FeeTerms terms)
        internal
        pure
        returns (ClaimableFees memory)
    {
        unchecked {
            uint256 protocol = pricing.undistributed * pricing.protocolFee / 1e6;
            uint256 market = pricing.undistributed - protocol;
            uint256 oracle = market * terms.oracleFee() / 1e6;
            uint256 risk = market * terms.riskFee() / 1e6;
            self.protocol += protocol;
            self.oracle += oracle + pricing.settlementFees;
            self.risk += risk;
            self.donation += market - oracle - risk;
            return self;
        }
    }

    /// @notice Takes from the donation what a liquidated account cannot pay (§10.5).
    /// @param wanted USD with 6 decimals
    /// @return taken As far as the donation has it
    function takeDonation(MarketStorage storage $, uint256 wanted) internal returns (uint256 taken) {
        Pricing memory pricing = PricingStorage.load($.pricing);
        split($, pricing, $.fees);
        $.pricing = PricingStorage.store(pricing);

        ClaimableFees memory fees = load($.claimableFees);
        taken = Math.min(wanted, fees.donation);
        fees.donation -= taken;
        $.claimableFees = store(fees);
    }
}
