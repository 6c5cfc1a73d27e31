// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarket } from "../interfaces/IMarket.sol";
import { Pocket } from "../types/Pocket.sol";
import { RiskParameter } from "../types/RiskParameter.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { Allocation, Leg } from "./Allocation.sol";
import { MarketReader } from "./MarketReader.sol";
import { VaultMarkets } from "./VaultMarkets.sol";
import { Payer, Rate, Shortage, VaultStorage, vaultStorage } from "./VaultStorage.sol";

/// @title Settlement of an epoch: one price for all its requests (docs/protocol.md §12.2, §12.3)
abstract contract VaultSettlement is VaultMarkets {
    using Allocation for Leg;
    using Math for uint256;
    using SafeCast for uint256;

    /// @dev After so many seconds an epoch settles without what is stuck.
    uint256 private constant STUCK = 1 days;

    /// @dev What the high-water mark is in: assets of 10^24 shares.
    uint256 private constant MARK = 1e24;

    /// @dev Supply of shares beyond which none are minted, so that amounts fit their slots.
    uint256 private constant MAX_SUPPLY = 1 << 127;

    /// @dev Part of its first price below which a share is worth nothing.
    uint256 private constant WORTHLESS = 1e6;

    /// @notice An epoch that is being settled, in memory; token units unless stated.
    /// @param epoch Its id
    /// @param configs The markets
    /// @param known Whether a market's value is known
    /// @param values Values, USD with 6 decimals
    /// @param charges What the epoch's requests pay of its orders' fees
    /// @param gross Assets, without stuck markets
    /// @param assets What all shares stand for, and one
    /// @param shares All shares, and the virtual ones
    /// @param minted Shares for deposits
    /// @param paid Assets for redemptions
    /// @param absorbed Fees of the epoch's orders that redemptions pay
    /// @param unfilled Shares that are given back
    struct Settling {
        uint256 epoch;
        VaultMarket[] configs;
        bool[] known;
        uint256[] values;
        uint256 charges;
        uint256 gross;
        uint256 assets;
        uint256 shares;
        uint256 minted;
        uint256 paid;
        uint256 absorbed;
        uint256 unfilled;
    }

    /// @notice See IVault.settle.
    function settle() external nonReentrant {
        settlePending(vaultStorage());
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev Settles the pending epoch, if it can be.
    function settlePending(VaultStorage storage $) internal {
        if ($.pending == 0) return;
        Settling memory self;
        self.epoch = $.pending;
        if (!collect($, self)) return;
        resolvePockets($, self);
        uint256 ours = weigh($, self);
        uint256 paidByRedeems = openPockets($, self, ours);
        if ($.openPockets == 0) shareProfit($, self);
        redeemAll($, self, paidByRedeems);
        uint256 entering = $.enteringNet;
        convert($, self, paidByRedeems);
        uint256 assets = (self.assets - 1).saturatingSub(self.paid + self.absorbed) + entering;
        $.lastAssets = (assets + stuckAssets($, self)).toUint128();
        // What is in a pocket is not lost: it is judged when it is back.
        if ($.openPockets == 0) {
            $.insolvent = self.shares > VIRTUAL && self.assets.saturatingMul(VIRTUAL * WORTHLESS) < self.shares;
        }
        $.pending = 0;
        emit EpochSettled(self.epoch, self.assets, self.shares, self.minted, self.paid, self.unfilled);
    }

    /// @dev Brings every market to where it can be brought, and reads what is there.
    /// @return Whether nothing has to be waited for
    function collect(VaultStorage storage $, Settling memory self) private returns (bool) {
        self.configs = $.markets;
        uint256 length = self.configs.length;
        self.known = new bool[](length);
        self.values = new uint256[](length);
        bool late = block.timestamp >= $.closedAt + STUCK;
        for (uint256 i = 0; i < length; i++) {
            VaultMarket memory config = self.configs[i];
            IMarket market = IMarket(config.market);
            if (!config.exposed) {
                self.known[i] = true;
                self.values[i] = MarketReader.collateralOf(market);
                continue;
            }
            bool recorded;
            if (bring(config.market)) {
                (self.known[i], recorded, self.values[i]) =
                    MarketReader.valueAt(market, config.version, config.expected);
            }
            if (!self.known[i] && config.awaited && !late) return false;
            // An order at an invalid version was cancelled, and has cost nothing (§5.5).
            if (self.known[i] && recorded && config.ordered) self.charges += config.charge;
        }
        self.charges *= $.scale;
        return true;
    }

    /// @dev Where a stuck market is back, and can be done without what those who left have in it, that is set aside.
    function resolvePockets(VaultStorage storage $, Settling memory self) private {
        if ($.openPockets == 0) return;
        uint256 shares = totalSupply() + VIRTUAL;
        uint256 scale = $.scale;
        for (uint256 i = 0; i < self.configs.length; i++) {
            VaultMarket memory config = self.configs[i];
            if (config.pocket == 0 || !self.known[i]) continue;
            Pocket storage pocket = $.pockets[config.pocket];
            uint256 redeemed = pocket.redeemed;
            uint256 payout = (self.values[i] * scale).saturatingSub(pocket.debt).mulDiv(redeemed, shares + redeemed);
            uint256 needed = Math.ceilDiv(payout, scale);
            if (needed != 0 && !release($, config, needed)) {
                self.known[i] = false;
                continue;
            }
            self.values[i] -= needed;
            $.idle -= payout.toUint128();
            $.reserved += payout.toUint128();
            (pocket.resolved, pocket.payout) = (true, payout.toUint128());
            emit PocketResolved(uint256(config.pocket), config.market, payout);
            $.markets[i].pocket = 0;
            config.pocket = 0;
            $.openPockets -= 1;
        }
    }

    /// @dev Takes collateral that a market can do without.
    function release(VaultStorage storage $, VaultMarket memory config, uint256 amount) private returns (bool) {
        if (amount > spare($, config, true)) return false;
        // casts: collateral is below 2^64
        return update($, config.market, 0, -int256(amount));
    }

    /// @dev Sums what is known, and takes from the deposits what entering has cost.
    /// @return hidden Last known collateral of markets that get stuck with this epoch, token units
    function weigh(VaultStorage storage $, Settling memory self) private returns (uint256 hidden) {
        uint256 scale = $.scale;
        uint256 gross = $.idle;
        for (uint256 i = 0; i < self.configs.length; i++) {
            if (self.known[i]) {
                gross += self.values[i] * scale;
            } else if (self.configs[i].pocket == 0) {
                hidden += MarketReader.collateralOf(IMarket(self.configs[i].market)) * scale;
            }
        }
        self.gross = gross;
        if ($.payer == Payer.Deposits) {
            $.enteringNet = uint256($.enteringNet).saturatingSub(self.charges).toUint128();
        }
    }

    /// @dev Opens pockets for markets that get stuck with this epoch; fixes the price of the epoch.
    /// @param hidden What was last known to be in them, token units
    /// @return charges What redemptions pay of the epoch's fees
    function openPockets(VaultStorage storage $, Settling memory self, uint256 hidden)
        private
        returns (uint256 charges)
    {
        // Of the deposits on their way, what is in pockets already is not in the rest: nor in what gets stuck now.
        uint256 entering = uint256($.enteringNet).saturatingSub(debtsOf($, self));
        uint256 rest = entering;
        for (uint256 i = 0; i < self.configs.length; i++) {
            VaultMarket memory config = self.configs[i];
            if (self.known[i] || config.pocket != 0) continue;
            uint256 held = MarketReader.collateralOf(IMarket(config.market)) * $.scale;
            config.pocket = ++$.pocketCount;
            $.markets[i].pocket = config.pocket;
            $.openPockets += 1;
            Pocket storage pocket = $.pockets[config.pocket];
            pocket.market = config.market;
            uint256 debt = held == 0 ? 0 : entering.mulDiv(held, self.gross + hidden);
            pocket.debt = debt.toUint128();
            rest -= debt;
            emit PocketOpened(config.pocket, config.market, debt);
        }
        if ($.payer == Payer.Redeems) charges = self.charges;
        self.shares = totalSupply() + VIRTUAL;
        // What is left where nobody has shares is for those who come: it must not make their first price.
        self.assets = 1;
        if (self.shares != VIRTUAL) {
            self.assets += (self.gross + charges).saturatingSub(rest);
        }
    }

    /// @dev What deposits on their way have in pockets that are open.
    function debtsOf(VaultStorage storage $, Settling memory self) private view returns (uint256 debts) {
        for (uint256 i = 0; i < self.configs.length; i++) {
            uint32 id = self.configs[i].pocket;
            if (id != 0) debts += $.pockets[id].debt;
        }
    }

    /// @dev What those who have stayed have in pockets that are open, as last known: it is part of what the cap limits.
    function stuckAssets(VaultStorage storage $, Settling memory self) private view returns (uint256 assets) {
        if ($.openPockets == 0) return 0;
        for (uint256 i = 0; i < self.configs.length; i++) {
            VaultMarket memory config = self.configs[i];
            if (config.pocket == 0) continue;
            uint256 collateral = MarketReader.collateralOf(IMarket(config.market));
            assets += live($, config, collateral).saturatingSub($.pockets[config.pocket].debt);
        }
    }

    /// @dev The coordinator's share of what a share has gained above the mark, in new shares.
    function shareProfit(VaultStorage storage $, Settling memory self) private {
        uint256 supply = self.shares - VIRTUAL;
        uint256 price = self.assets.mulDiv(MARK, self.shares);
        uint256 mark = $.mark;
        if (supply != 0) {
            if (price <= mark) return;
            uint256 fee = supply.mulDiv(price - mark, MARK).mulDiv($.profitShare, 1e6).min(self.assets - 1);
            uint256 minted = fee.mulDiv(self.shares, self.assets - fee).min(MAX_SUPPLY.saturatingSub(supply));
            if (minted != 0) {
                _mint($.coordinator, minted);
                self.shares += minted;
                price = self.assets.mulDiv(MARK, self.shares);
                emit ProfitShared($.coordinator, fee, minted);
            }
        }
        $.mark = price.min(type(uint128).max).toUint128();
    }

    /// @dev Pays redemptions as far as tokens can be had, and gives the rest of the shares back.
    /// @param charges What they pay of the epoch's fees
    function redeemAll(VaultStorage storage $, Settling memory self, uint256 charges) private {
        uint256 redeems = $.pendingRedeems;
        if (redeems == 0) return;
        uint256 worth = redeems.mulDiv(self.assets, self.shares);
        uint256 owed = worth.saturatingSub(charges);
        raise($, self, owed);
        uint256 idle = $.idle;
        uint256 filled = redeems;
        (self.paid, self.absorbed) = (owed, worth - owed);
        if (idle < owed) {
            // Fees have been spent for all of them: those who can leave pay them, not those who stay.
            filled = redeems.mulDiv(idle + self.absorbed, worth);
            self.paid = worth.mulDiv(filled, redeems).saturatingSub(self.absorbed);
            self.unfilled = redeems - filled;
        }
        $.idle = (idle - self.paid).toUint128();
        $.reserved += self.paid.toUint128();
        $.redeemRates[self.epoch] = Rate(self.paid.toUint128(), redeems.toUint128());
        if (self.unfilled != 0) $.shortages[self.epoch].unfilled = self.unfilled.toUint128();
        if ($.openPockets != 0) leaveBehind($, self, filled);
        _burn(address(this), filled);
    }

    /// @dev Those who leave keep their part of what is stuck.
    function leaveBehind(VaultStorage storage $, Settling memory self, uint256 filled) private {
        Shortage storage shortage = $.shortages[self.epoch];
        for (uint256 i = 0; i < self.configs.length; i++) {
            uint32 id = self.configs[i].pocket;
            if (id == 0) continue;
            $.pockets[id].redeemed += filled.toUint128();
            shortage.pockets.push(id);
        }
    }

    /// @dev Takes tokens from markets until there are as many as are owed: first what they do not need at their leverage,
    ///      then what the tolerance allows. Who stays is not left with a position that those who leave have paid for.
    function raise(VaultStorage storage $, Settling memory self, uint256 owed) private {
        for (uint256 pass = 0; pass < 2; pass++) {
            for (uint256 i = 0; i < self.configs.length; i++) {
                uint256 idle = $.idle;
                if (idle >= owed) return;
                VaultMarket memory config = self.configs[i];
                if (config.pocket != 0) continue;
                uint256 amount = spare($, config, pass != 0).min(Math.ceilDiv(owed - idle, $.scale));
                // casts: collateral is below 2^64
                if (amount != 0) update($, config.market, 0, -int256(amount));
            }
        }
    }

    /// @dev Collateral that a market can do without, as last settled; 6 decimals.
    /// @param strained Whether the position may be as far above its leverage as the tolerance allows, as long as the market
    ///        accepts it: a pocket's part that is not free then makes the market's next order
    function spare(VaultStorage storage $, VaultMarket memory config, bool strained) private view returns (uint256) {
        IMarket market = IMarket(config.market);
        uint256 held = MarketReader.collateralOf(market);
        uint256 size = market.positions(address(this)).maker.raw();
        uint256 kept = 0;
        if (size != 0) {
            RiskParameter memory risk = market.riskParameter();
            Leg memory leg;
            uint256 leverage = config.leverageBefore != 0 ? config.leverageBefore : config.leverage;
            leg.terms(leverage, risk.margin.raw(), risk.minMargin.raw());
            kept = leg.keep(SignedMath.abs(market.price().raw()), size);
        }
        if (!strained) return held.saturatingSub(kept);
        kept = Math.ceilDiv(kept * (1e6 - $.tolerance), 1e6);
        return held.saturatingSub(kept).min(MarketReader.spare(market));
    }

    /// @dev Turns deposits into shares, unless they wait for a stuck market.
    /// @param charges What redemptions have paid of the epoch's fees: none of it is the deposits'
    function convert(VaultStorage storage $, Settling memory self, uint256 charges) private {
        uint256 entering = $.entering;
        if (entering == 0 || $.openPockets != 0) return;
        // A loss beyond all shares has taken from the deposits too: they were in the same accounts.
        uint256 worth = uint256($.enteringNet).min(self.gross + charges);
        self.minted = worth.saturatingMul(self.shares) / self.assets;
        self.minted = self.minted.min(MAX_SUPPLY.saturatingSub(totalSupply()));
        $.depositRates[entering] = Rate($.enteringGross, self.minted.toUint128());
        ($.entering, $.enteringNet) = (0, 0);
        _mint(address(this), self.minted);
    }
}
