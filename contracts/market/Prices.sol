// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";
import { IPayoffProvider } from "../interfaces/IPayoffProvider.sol";
import { MarketConfig } from "../types/MarketConfig.sol";
import { MarketStorage } from "./MarketStorage.sol";

/// @notice What the oracle says in this call, asked once, and the price last looked up.
/// @param config The market's oracle and whether there is a payoff
/// @param latest Latest version
/// @param current Version that orders of this call settle at
/// @param known Timestamp of the version whose price is known; 0 for none
/// @param price Its price, payoff applied, raw with 6 decimals
/// @param valid Whether it has one
struct PriceFeed {
    MarketConfig config;
    OracleVersion latest;
    uint256 current;
    uint256 known;
    int256 price;
    bool valid;
}

/// @title Prices of versions: the oracle's, through the payoff (docs/protocol.md §5.1, §5.5)
library Prices {
    /// @dev |price| from here on makes a version invalid (§1.5): 10^11 USD.
    uint256 private constant PRICE_LIMIT = 1e17;

    /// @notice Asks the oracle for its latest and current version.
    function open(MarketConfig config) internal view returns (PriceFeed memory feed) {
        feed.config = config;
        (feed.latest, feed.current) = IOracleProvider(config.oracle()).status();
        // Versions are stored in 32 bits; only a provider that the OracleFactory's owner registered could break this.
        if (feed.current > type(uint32).max) revert IMarketErrors.InvalidVersion(feed.current);
    }

    /// @notice The price of a version that the market settles, or has settled as valid.
    /// @return price Payoff applied, raw with 6 decimals; 0 where invalid
    /// @return valid Whether the version has a price
    function at(PriceFeed memory self, MarketStorage storage $, uint256 timestamp)
        internal
        view
        returns (int256, bool)
    {
        if (self.known != timestamp) {
            OracleVersion memory version = timestamp == self.latest.timestamp
                ? self.latest
                : IOracleProvider(self.config.oracle()).at(timestamp);
            self.known = timestamp;
            (self.price, self.valid) = version.valid ? transform(self, $, version.price) : (int256(0), false);
        }
        return (self.price, self.valid);
    }

    /// @dev A payoff that reverts, or a price too large, makes the version invalid.
    function transform(PriceFeed memory self, MarketStorage storage $, int256 price)
        private
        view
        returns (int256, bool)
    {
        if (self.config.hasPayoff()) {
            try IPayoffProvider($.payoff).payoff(price) returns (int256 transformed) {
                price = transformed;
            } catch {
                return (0, false);
            }
        }
        // casts: the limit is a constant
        bool valid = price < int256(PRICE_LIMIT) && price > -int256(PRICE_LIMIT);
        return valid ? (price, true) : (int256(0), false);
    }
}
