// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarket } from "../interfaces/IMarket.sol";
import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { Allocation, Leg } from "./Allocation.sol";
import { MarketReader, Observation } from "./MarketReader.sol";
import { VaultSettlement } from "./VaultSettlement.sol";
import { Payer, VaultStorage, vaultStorage } from "./VaultStorage.sol";

/// @title Closing of an epoch: requests are fixed, orders placed, collateral moved (docs/protocol.md §12.2)
abstract contract VaultClosing is VaultSettlement {
    using Allocation for Leg;
    using Math for uint256;
    using SafeCast for uint256;

    /// @dev Time that a market rests, seconds.
    uint256 private constant REST = 1 days;

    /// @notice An epoch that is being closed, in memory.
    /// @param configs The markets
    /// @param seen What each looks like
    /// @param legs What each is to get
    /// @param deposits Assets that enter
    /// @param redeems Shares that leave
    /// @param leaving What those are worth, about; token units
    /// @param total What the markets are to hold between them, token units
    /// @param weights Sum of all weights
    /// @param moved Whether a market was off and is being put right
    struct Closing {
        VaultMarket[] configs;
        Observation[] seen;
        Leg[] legs;
        uint256 deposits;
        uint256 redeems;
        uint256 leaving;
        uint256 total;
        uint256 weights;
        bool moved;
    }

    /// @notice See IVault.closeEpoch.
    function closeEpoch() external nonReentrant {
        close(false);
    }

    /// @notice See IVault.rebalance.
    function rebalance() external nonReentrant {
        close(true);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    function close(bool rebalancing) private {
        VaultStorage storage $ = vaultStorage();
        if ($.pending != 0) settlePending($);
        if ($.pending != 0) revert EpochPending($.pending);
        if (IMarketFactory(marketFactory).paused()) revert ProtocolPaused();

        Closing memory self;
        bool closable = look($, self);
        if (!rebalancing && !closable) revert NothingToClose();
        uint256 epoch = fix($, self);
        size($, self);
        uint256 length = self.configs.length;
        // Collateral that is not needed first: it may be what another market needs.
        for (uint256 i = 0; i < length; i++) {
            shrink($, self, i, epoch);
        }
        for (uint256 i = 0; i < length; i++) {
            if (!self.legs[i].done) grow($, self, i, epoch);
        }
        for (uint256 i = 0; i < length; i++) {
            record($.markets[i], self.seen[i], self.legs[i]);
        }
        if (rebalancing && !self.moved) revert NothingToRebalance();
        emit EpochClosed(epoch, self.deposits, self.redeems, rebalancing);
    }

    /// @dev Settles and reads all markets, and decides which requests the epoch takes.
    /// @return Whether there is anything to do for the epoch's requests
    function look(VaultStorage storage $, Closing memory self) private returns (bool) {
        self.configs = $.markets;
        uint256 length = self.configs.length;
        self.seen = new Observation[](length);
        self.legs = new Leg[](length);
        uint256 pockets = $.openPockets;
        // Deposits wait while somebody else's do, and while a market's value is not known (§12.3).
        bool hold = $.entering != 0 || pockets != 0;
        bool back = false;
        for (uint256 i = 0; i < length; i++) {
            IMarket market = IMarket(self.configs[i].market);
            bool success = bring(address(market));
            Observation memory seen = success ? MarketReader.observe(market) : MarketReader.unanswered(market);
            self.seen[i] = seen;
            if (!seen.fresh && exposed(seen)) hold = true;
            if (self.configs[i].pocket != 0 && (seen.fresh || !exposed(seen))) back = true;
        }
        self.deposits = hold ? 0 : $.openDeposits;
        self.redeems = $.openRedeems;
        return self.deposits | self.redeems != 0 || back || ($.entering != 0 && pockets == 0);
    }

    /// @dev From here on the epoch's requests are fixed; later ones join the next.
    function fix(VaultStorage storage $, Closing memory self) private returns (uint256 epoch) {
        epoch = $.epoch;
        // casts: epochs are counted
        $.pending = uint32(epoch);
        $.epoch = uint32(epoch + 1);
        $.closedAt = uint40(block.timestamp);
        $.pendingRedeems = $.openRedeems;
        $.openRedeems = 0;
        uint128 assets = $.openDeposits;
        // With nobody in it the epoch of deposits goes along.
        uint32 joined = $.depositEpoch;
        if (self.deposits != 0 || assets == 0) $.depositEpoch = uint32(epoch + 1);
        if (self.deposits == 0) return epoch;
        $.entering = joined;
        ($.enteringNet, $.enteringGross, $.openDeposits) = (assets, assets, 0);
        $.idle += assets;
        $.lastAssets += assets;
    }

    /// @dev What the pool has, what leaves it, and what each market is to get.
    function size(VaultStorage storage $, Closing memory self) private {
        uint256 pool = $.idle;
        for (uint256 i = 0; i < self.configs.length; i++) {
            self.weights += self.configs[i].weight;
            // casts: not negative
            pool += live($, self.configs[i], uint256(SignedMath.max(self.seen[i].collateral, 0)));
        }
        uint256 entering = $.enteringNet;
        uint256 assets = pool.saturatingSub(entering);
        self.leaving = self.redeems.mulDiv(assets + 1, totalSupply() + VIRTUAL);
        self.total = assets + entering - self.leaving;

        bool enters = self.deposits >= self.leaving;
        uint256 net = enters ? self.deposits - self.leaving : self.leaving - self.deposits;
        $.payer = !enters ? Payer.Redeems : self.deposits != 0 ? Payer.Deposits : Payer.Nobody;
        (uint256 scale, uint256 tolerance) = ($.scale, $.tolerance);
        for (uint256 i = 0; i < self.configs.length; i++) {
            VaultMarket memory config = self.configs[i];
            Leg memory leg = self.legs[i];
            leg.terms(config.leverage, self.seen[i].margin, self.seen[i].minMargin);
            leg.rests = block.timestamp < config.restsUntil;
            uint256 share = self.weights == 0 ? 0 : self.total.mulDiv(config.weight, self.weights) / scale;
            uint256 change = self.weights == 0 ? 0 : net.mulDiv(config.weight, self.weights) / scale;
            if (config.pocket != 0) {
                // Part of what is there belongs to those who have left, and is free once the position is no larger than
                // the rest carries.
                leg.pocketed = true;
                // casts: not negative
                share = share.min(live($, config, uint256(SignedMath.max(self.seen[i].collateral, 0))) / scale);
            }
            leg.plan(self.seen[i], share, change, enters, tolerance);
        }
    }

    /// @dev Orders what needs no tokens, a close or an increase that collateral covers already, and takes what is not
    ///      needed.
    function shrink(VaultStorage storage $, Closing memory self, uint256 i, uint256 epoch) private {
        (Observation memory seen, Leg memory leg, VaultMarket memory config) =
            (self.seen[i], self.legs[i], self.configs[i]);
        int256 excess;
        // What is in a pocket is not all the pool's. A market without exposure gives collateral whether fresh or not.
        if (config.pocket == 0 && seen.collateral > 0 && (seen.fresh ? seen.count == 0 : !exposed(seen))) {
            // casts: collateral is below 2^64; a close counts only when it has settled
            uint256 worst = uint256(int256(seen.size) + SignedMath.max(leg.delta, 0));
            excess = seen.collateral - int256(leg.keep(seen.price, worst));
            bool small = leg.delta >= 0 && excess * 1e6 <= int256(uint256($.tolerance)) * seen.collateral;
            if (excess < 0 || small) excess = 0;
        }
        leg.done = leg.delta < 0 || (leg.delta > 0 && excess != 0);
        if (!leg.done && excess == 0) return;
        bool success = update($, config.market, leg.delta, -excess);
        if (!success && leg.done && excess != 0) {
            excess = 0;
            success = update($, config.market, leg.delta, 0);
        }
        placed(self, i, -excess, epoch, success);
    }

    /// @dev Opens, or brings collateral that is missing, as far as there are tokens that do not leave.
    function grow(VaultStorage storage $, Closing memory self, uint256 i, uint256 epoch) private {
        (Observation memory seen, Leg memory leg) = (self.seen[i], self.legs[i]);
        if (leg.pocketed) {
            // Those who have left have a part in all that is there: nothing is added before theirs is set aside.
            leg.delta = 0;
            return;
        }
        uint256 need;
        if (seen.fresh && seen.count == 0 && seen.collateral >= 0 && seen.price != 0) {
            // casts: collateral is not negative, sizes are below 2^64
            uint256 collateral = uint256(seen.collateral);
            uint256 idle = $.idle;
            uint256 cash = (idle - idle.min(self.leaving)) / $.scale;
            if (leg.delta > 0) leg.afford(seen, collateral + cash);
            uint256 wanted = leg.keep(seen.price, seen.size + uint256(leg.delta));
            need = wanted.saturatingSub(collateral).min(cash);
            if (leg.delta == 0 && need * 1e6 <= uint256($.tolerance) * wanted) need = 0;
        }
        if (leg.delta == 0 && need == 0) return;
        // casts: tokens are below 2^63 with 6 decimals, or the market refuses them
        int256 money = int256(need);
        placed(self, i, money, epoch, update($, self.configs[i].market, leg.delta, money));
    }

    /// @dev What an order costs, at the latest price, and what of it the epoch's requests pay: the part of their own flow.
    function placed(Closing memory self, uint256 i, int256 money, uint256 epoch, bool success) private {
        (Observation memory seen, Leg memory leg) = (self.seen[i], self.legs[i]);
        if (!success) {
            leg.delta = 0;
            return;
        }
        address market = self.configs[i].market;
        if (leg.delta == 0) {
            self.moved = true;
        } else {
            self.moved = self.moved || leg.big;
            (int256 effective,) = MarketReader.effectiveOf(IMarket(market));
            // casts: not negative
            uint256 cost = uint256(SignedMath.max(seen.collateral + money - effective, 0));
            (uint256 ordered, uint256 flow) = (SignedMath.abs(leg.delta), SignedMath.abs(leg.flow));
            bool same = leg.flow > 0 == leg.delta > 0;
            if (same) leg.charge = cost.mulDiv(ordered.min(flow), ordered, Math.Rounding.Ceil);
        }
        emit Ordered(epoch, market, seen.version, leg.delta, money, leg.charge);
    }

    /// @dev What the epoch's settlement needs to know of a market.
    function record(VaultMarket storage stored, Observation memory seen, Leg memory leg) private {
        bool ordered = leg.delta != 0;
        stored.exposed = ordered || exposed(seen);
        // A stale market is waited for as well: else anyone could pick a quiet minute to leave it out.
        stored.awaited = stored.exposed && (seen.fresh || stored.pocket == 0);
        stored.ordered = ordered;
        stored.version = seen.version.toUint32();
        // casts: not negative; what would not fit is no size that a market takes
        stored.expected = uint256(int256(seen.size) + leg.delta).toUint64();
        stored.charge = leg.charge.toUint64();
        stored.leverageBefore = 0;
        // casts: fits for 30,000 years
        if (leg.isForAll()) stored.restsUntil = uint40(block.timestamp + REST);
    }

    /// @dev Whether a market's price matters: the vault has a position there, or orders.
    function exposed(Observation memory seen) private pure returns (bool) {
        return seen.size | seen.count != 0;
    }
}
