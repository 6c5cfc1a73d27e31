// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { MarginTerms } from "../types/MarginTerms.sol";
import { PricingStorage } from "../types/Pricing.sol";
import { PriceFeed } from "./Prices.sol";

/// @title Whether the latest price is good enough to act on (docs/protocol.md §10.3)
library Freshness {
    /// @notice Whether the latest version is there, valid and not too old. The market is settled to it.
    /// @param pricing Slot G3
    /// @param terms Risk parameters
    function holds(PriceFeed memory feed, uint256 pricing, MarginTerms terms) internal pure returns (bool) {
        // A provider whose current version is not later than its latest has promised otherwise (§5.1): nobody trades on it.
        uint256 latest = feed.latest.timestamp;
        return latest != 0 && feed.current > latest && PricingStorage.valid(pricing)
            && feed.current - latest <= terms.staleAfter();
    }

    /// @notice Reverts with StalePrice unless it holds.
    function check(PriceFeed memory feed, uint256 pricing, MarginTerms terms) internal pure {
        if (!holds(feed, pricing, terms)) revert IMarketErrors.StalePrice(feed.latest.timestamp, feed.current);
    }
}
