// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { FeeTerms } from "../types/FeeTerms.sol";
import { MarketConfig } from "../types/MarketConfig.sol";
import { MarketStorage } from "./MarketStorage.sol";

/// @title The settlement fee of a version, so that orders need not store theirs (docs/protocol.md §4.4, §6.4)
/// @dev A pending order keeps its settlement fee when the parameter changes. A change is therefore recorded with the newest
///      version that was pending at the time: what was ordered before is at that version or an earlier one and finds the
///      old fee, what is ordered later finds the new one. Only an order placed after the change, but still at that
///      version, stores its fee.
library SettlementFees {
    /// @notice The fee that an order at `version` was placed with, unless it stores its own.
    /// @return USD with 6 decimals
    function at(MarketStorage storage $, MarketConfig config, FeeTerms terms, uint256 version)
        internal
        view
        returns (uint256)
    {
        if (version > config.feeSince()) return terms.settlementFee();
        // Of the last change that came before the version was pending; the first entry has no such version.
        uint256 index = $.settlementFeeHistory.length;
        while (index != 0) {
            uint256 change = $.settlementFeeHistory[--index];
            if ((change & type(uint32).max) < version) return change >> 32;
        }
        return terms.settlementFee();
    }

    /// @notice Records a change of the fee.
    /// @param newest Newest version that is pending, or the settled one without any
    /// @param old Fee so far
    /// @param fee Fee from now on
    function record(MarketStorage storage $, uint256 newest, uint256 old, uint256 fee) internal {
        if ($.settlementFeeHistory.length == 0) $.settlementFeeHistory.push(old << 32);
        $.settlementFeeHistory.push(newest | fee << 32);
    }
}
