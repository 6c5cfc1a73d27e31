// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarket } from "../interfaces/IMarket.sol";
import { IOracleProvider, OracleVersion } from "../interfaces/IOracleProvider.sol";
import { Fixed6 } from "../math/Fixed6.sol";
import { Rounding } from "../math/Rounding.sol";
import { UFixed6 } from "../math/UFixed6.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { Position } from "../types/Position.sol";
import { RiskParameter } from "../types/RiskParameter.sol";

/// @notice A market as a vault sees it when it closes an epoch; 6 decimals.
/// @param fresh Whether the market settles and its price may be acted on (docs/protocol.md §10.3)
/// @param closed Whether positions may only shrink
/// @param closeAlways Whether makers may close whatever cover takers need
/// @param version Version that orders settle at; of a market that does not answer, the first that could be new
/// @param collateral The vault's collateral
/// @param size Its settled maker size
/// @param count Its pending versions
/// @param price Magnitude of the latest price
/// @param margin Margin ratio
/// @param minMargin Least margin
/// @param makerLimit Limit of the market's maker size
/// @param settlementFee Fee of an order
/// @param maker The market's maker size, pending orders counted
/// @param free Maker size that takers do not need for cover, pending orders counted
struct Observation {
    bool fresh;
    bool closed;
    bool closeAlways;
    uint256 version;
    int256 collateral;
    uint256 size;
    uint256 count;
    uint256 price;
    uint256 margin;
    uint256 minMargin;
    uint256 makerLimit;
    uint256 settlementFee;
    uint256 maker;
    uint256 free;
}

/// @title What a vault reads of a market
library MarketReader {
    /// @notice Reads what an order depends on, of a market in which the vault's account is settled.
    function observe(IMarket market) internal view returns (Observation memory self) {
        account(market, self);
        self.price = SignedMath.abs(market.price().raw());

        RiskParameter memory risk = market.riskParameter();
        self.margin = risk.margin.raw();
        self.minMargin = risk.minMargin.raw();
        self.makerLimit = risk.makerLimit.raw();
        MarketParameter memory parameter = market.parameter();
        self.settlementFee = parameter.settlementFee.raw();
        self.closed = parameter.closed;
        self.closeAlways = parameter.makerCloseAlways;

        Position memory book = market.pendingPosition();
        self.maker = book.maker.raw();
        (uint256 long, uint256 short) = (book.long.raw(), book.short.raw());
        self.free = Rounding.subFloor(self.maker + Math.min(long, short), Math.max(long, short));

        (, bool valid,,,) = market.latestVersion();
        (OracleVersion memory latest, uint256 current) = IOracleProvider(market.oracle()).status();
        self.version = current;
        self.fresh = latest.timestamp != 0 && current > latest.timestamp && valid
            && current - latest.timestamp <= risk.staleAfter;
    }

    /// @notice Reads the vault's account in a market that does not answer.
    function unanswered(IMarket market) internal view returns (Observation memory self) {
        account(market, self);
        (uint256 timestamp,,,,) = market.latestVersion();
        self.version = timestamp + 1;
    }

    /// @notice What the vault's account, which is settled, was worth at a version.
    /// @param version Version that the pending epoch waits for
    /// @param expected The vault's size after the epoch's order
    /// @return delivered Whether the market is past the version, with a price that is not older, nor stale where it counts
    /// @return recorded Whether orders settled at the version itself
    /// @return value Collateral at the version if orders settled at it and nothing else has changed the size, else now;
    ///         USD with 6 decimals
    function valueAt(IMarket market, uint256 version, uint256 expected)
        internal
        view
        returns (bool delivered, bool recorded, uint256 value)
    {
        (uint256 timestamp, bool valid, int256 gained,,) = market.latestVersion();
        if (timestamp < version) return (false, false, 0);
        int256 before;
        (recorded, before,,) = market.versions(version);
        // Without a record the value is that of now: whoever settles must not choose among the prices of a long time.
        delivered = recorded || (valid && recent(market, timestamp));
        int256 collateral = market.collateral(address(this)).raw();
        if (recorded && gained != before && market.positions(address(this)).maker.raw() == expected) {
            // Since the version only the size that it left has gained or lost (§7).
            // casts: sizes are below 2^63
            collateral -= Rounding.floorDiv(int256(expected) * (gained - before), 1e12);
        }
        // casts: not negative
        value = uint256(SignedMath.max(collateral, 0));
    }

    /// @notice The vault's collateral, 0 where it owes the market.
    function collateralOf(IMarket market) internal view returns (uint256) {
        // casts: not negative
        return uint256(SignedMath.max(market.collateral(address(this)).raw(), 0));
    }

    /// @notice Collateral above the margin requirement.
    function spare(IMarket market) internal view returns (uint256) {
        (int256 effective, uint256 margin) = effectiveOf(market);
        // casts: requirements are below 2^150
        return uint256(SignedMath.max(effective - int256(margin), 0));
    }

    /// @notice Effective collateral and margin requirement.
    function effectiveOf(IMarket market) internal view returns (int256, uint256) {
        (Fixed6 effective, UFixed6 margin,) = market.requirement(address(this));
        return (effective.raw(), margin.raw());
    }

    /// @dev Whether a version is not stale yet (docs/protocol.md §10.3).
    function recent(IMarket market, uint256 timestamp) private view returns (bool) {
        (, uint256 current) = IOracleProvider(market.oracle()).status();
        return current <= timestamp + market.riskParameter().staleAfter;
    }

    function account(IMarket market, Observation memory self) private view {
        self.collateral = market.collateral(address(this)).raw();
        self.size = market.positions(address(this)).maker.raw();
        self.count = market.pendingCounts(address(this));
    }
}
