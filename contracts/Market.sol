// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarket } from "./interfaces/IMarket.sol";
import { IMarketErrors } from "./interfaces/IMarketErrors.sol";
import { IMarketEvents } from "./interfaces/IMarketEvents.sol";
import { IOracleProvider } from "./interfaces/IOracleProvider.sol";
import { Accounts } from "./market/Accounts.sol";
import { Fills, PendingFills } from "./market/Fills.sol";
import { Freshness } from "./market/Freshness.sol";
import { Margin } from "./market/Margin.sol";
import { MarketBase } from "./market/MarketBase.sol";
import { Account, MarketStorage, marketStorage } from "./market/MarketStorage.sol";
import { Order, Orders } from "./market/Orders.sol";
import { PriceFeed } from "./market/Prices.sol";
import { Fixed6 } from "./math/Fixed6.sol";
import { AccountState, AccountStateStorage } from "./types/AccountState.sol";
import { LiquidationStorage } from "./types/Liquidation.sol";
import { MarginTerms } from "./types/MarginTerms.sol";
import { OrderTerms } from "./types/OrderTerms.sol";
import { PendingSums, PendingSumsStorage } from "./types/PendingSums.sol";
import { PricingStorage } from "./types/Pricing.sol";
import { Side } from "./types/Side.sol";

/// @title Market: the hot paths. Claims, parameters and views are in MarketExtension, over the same storage
/// @notice See IMarket. Every entry has one shape: settle → order → check → store → transfer → event.
contract Market is MarketBase {
    using SafeERC20 for IERC20;

    /// @notice Code of claims, parameters and views.
    address public immutable extension;

    /// @notice Code of fills and crosses.
    address public immutable intents;

    /// @notice One step of `update`, in memory.
    /// @param state The settled account
    /// @param sums Sums over its pending orders
    /// @param fills Its pending fills
    /// @param before Collateral as stored
    struct Update {
        AccountState state;
        PendingSums sums;
        PendingFills fills;
        int256 before;
    }

    /// @param factory_ The MarketFactory whose beacon serves this code
    /// @param extension_ A MarketExtension made for the same factory
    /// @param intents_ A MarketIntents made for the same factory
    constructor(address factory_, address extension_, address intents_) MarketBase(factory_) {
        for (uint256 i = 0; i < 2; ++i) {
            address code = i == 0 ? extension_ : intents_;
            address theirs = MarketBase(code).factory();
            if (theirs != factory_) revert IMarketErrors.ForeignCode(code, theirs);
        }
        extension = extension_;
        intents = intents_;
    }

    /// @notice Runs everything that is not here in MarketIntents or the extension, over this market's storage. Takes no
    ///         ether.
    fallback() external {
        bool isIntent = msg.sig == IMarket.fill.selector || msg.sig == IMarket.cross.selector
            || msg.sig == IMarket.fillBatch.selector || msg.sig == IMarket.crossBatch.selector;
        address target = isIntent ? intents : extension;
        assembly ("memory-safe") {
            // Nothing is left to do here afterwards: all memory is free to use.
            let pointer := mload(0x40)
            calldatacopy(pointer, 0, calldatasize())
            let success := delegatecall(gas(), target, pointer, calldatasize(), 0, 0)
            returndatacopy(pointer, 0, returndatasize())
            if success { return(pointer, returndatasize()) }
            revert(pointer, returndatasize())
        }
    }

    // -- Trading -----------------------------------------------------------------------------------------------------

    /// @notice See IMarket.update.
    function update(address account, Fixed6 makerDelta, Fixed6 takerDelta, Fixed6 collateralDelta, address referrer)
        external
        nonReentrant
    {
        (int256 maker, int256 taker, int256 money) = (makerDelta.raw(), takerDelta.raw(), collateralDelta.raw());
        if (maker != 0 || taker != 0 || money < 0) checkOperator(account);

        MarketStorage storage $ = marketStorage();
        PriceFeed memory feed = sync($, type(uint256).max);
        Account storage stored = $.accounts[account];
        Update memory self = open($, feed, stored, account);
        bool increases;
        if (maker != 0 || taker != 0) {
            Order memory order = request(self, account, maker, taker, referrer);
            increases = order.opened != 0;
            if (increases || order.closed != 0) place($, feed, stored, self, order);
            else (maker, taker) = (0, 0);
        }
        if (money < 0) money = withdrawal($, feed, stored, self, account, money);
        else checkDeposit(self, money);
        self.state.collateral += money;
        checkMargin($, self, increases || money < 0, maker != 0 || taker != 0);

        close($, stored, self);
        transfer($, account, money);
    }

    /// @notice See IMarket.settle.
    function settle(address account) external nonReentrant {
        MarketStorage storage $ = marketStorage();
        PriceFeed memory feed = sync($, type(uint256).max);
        Account storage stored = $.accounts[account];
        close($, stored, open($, feed, stored, account));
    }

    /// @notice See IMarket.advance.
    function advance(uint256 max) external nonReentrant {
        sync(marketStorage(), max);
    }

    /// @notice See IMarket.liquidate.
    function liquidate(address account) external nonReentrant {
        MarketStorage storage $ = marketStorage();
        PriceFeed memory feed = sync($, type(uint256).max);
        Account storage stored = $.accounts[account];
        Update memory self = open($, feed, stored, account);
        Accounts.checkLock(stored, self.state, account);
        uint256 pricing = $.pricing;
        MarginTerms margin = $.margin;
        Freshness.check(feed, pricing, margin);

        int256 price = PricingStorage.price(pricing);
        OrderTerms terms = $.order;
        int256 effective = Margin.effectiveCollateral(self.state, self.sums, self.fills, price);
        uint256 maintenance = Margin.maintenance(self.state.size, price, terms, margin);
        // casts: requirements are below 2^150
        if (effective >= int256(maintenance) || (self.state.size == 0 && self.state.count == 0)) {
            revert IMarketErrors.NotLiquidatable(effective, maintenance);
        }

        uint256 closing = Margin.closable(self.state, self.sums, self.fills);
        uint256 fee = Margin.liquidationFee(closing, price, terms, margin);
        self.state.locked = true;
        stored.liquidation = LiquidationStorage.pack(msg.sender, fee, feed.current);
        if (closing != 0) {
            Order memory order = Order(account, self.state.side, 0, closing, 0, address(0), true);
            Orders.place($, feed, stored, self.state, self.sums, order);
            IOracleProvider(feed.config.oracle()).request(account);
        }
        close($, stored, self);
        emit IMarketEvents.Liquidated(account, msg.sender, feed.current, closing, fee);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev Settles the account in memory and loads its sums.
    function open(MarketStorage storage $, PriceFeed memory feed, Account storage stored, address account)
        private
        returns (Update memory self)
    {
        self.before = Accounts.settle($, feed, stored, account, self.state);
        if (self.state.ordered) PendingSumsStorage.load(self.sums, stored.pending);
        Fills.pending(self.fills, stored, self.state);
    }

    /// @dev Stores the account, and its sums where they mean something.
    function close(MarketStorage storage $, Account storage stored, Update memory self) private {
        Accounts.store($, stored, self.state, self.before);
        if (self.state.ordered) stored.pending = PendingSumsStorage.store(self.sums);
    }

    /// @dev What the deltas ask for: an open on the account's side, or a close of it (§5.2, §5.3).
    function request(Update memory self, address account, int256 maker, int256 taker, address referrer)
        private
        pure
        returns (Order memory order)
    {
        if (maker != 0 && taker != 0) revert IMarketErrors.BothSides(maker, taker);
        bool isMaker = maker != 0;
        int256 delta = isMaker ? maker : taker;
        Side side = self.state.size + self.sums.opens == 0 ? self.fills.side : self.state.side;
        order.held = self.state.size + self.sums.opens + self.fills.opens;
        uint256 closable = Margin.closable(self.state, self.sums, self.fills);
        order.account = account;
        order.side = side;
        order.referrer = referrer;

        if (delta == type(int256).min) {
            if (side != Side.None && (side == Side.Maker) == isMaker) order.closed = closable;
            return order;
        }
        if (self.fills.crosses) revert IMarketErrors.FillCrosses(account);
        uint256 size = SignedMath.abs(delta);
        Side wanted = isMaker ? Side.Maker : delta > 0 ? Side.Long : Side.Short;
        bool closes = isMaker ? delta < 0 : side != Side.None && side != Side.Maker && side != wanted;
        if (closes) {
            if (isMaker && side != Side.Maker) revert IMarketErrors.WrongSide(uint256(side), uint256(wanted));
            if (size > closable) revert IMarketErrors.OverClose(size, closable);
            order.closed = size;
        } else {
            if (side != Side.None && side != wanted) revert IMarketErrors.WrongSide(uint256(side), uint256(wanted));
            order.side = wanted;
            order.opened = size;
        }
    }

    /// @dev Checks that the account may order now, places the order and asks for its version.
    function place(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage stored,
        Update memory self,
        Order memory order
    ) private {
        Accounts.checkLock(stored, self.state, order.account);
        Freshness.check(feed, $.pricing, $.margin);
        if (order.opened != 0 && $.fees.closed()) revert IMarketErrors.MarketClosed();
        Orders.place($, feed, stored, self.state, self.sums, order);
        IOracleProvider(feed.config.oracle()).request(order.account);
    }

    /// @dev Collateral must fit its slot.
    function checkDeposit(Update memory self, int256 money) private pure {
        if (money == 0 || money <= AccountStateStorage.MAX_COLLATERAL - self.state.collateral) return;
        // casts: not negative
        revert IMarketErrors.CollateralOverflow(uint256(money));
    }

    /// @dev What is withdrawn, as a change of collateral: as asked for, or the most that is accepted (§5.8).
    function withdrawal(
        MarketStorage storage $,
        PriceFeed memory feed,
        Account storage stored,
        Update memory self,
        address account,
        int256 money
    ) private view returns (int256) {
        bool exposed = self.state.size != 0 || self.state.count != 0;
        if (money == type(int256).min) {
            if (self.state.locked || (exposed && !Freshness.holds(feed, $.pricing, $.margin))) return 0;
            int256 price = PricingStorage.price($.pricing);
            int256 free = Margin.effectiveCollateral(self.state, self.sums, self.fills, price);
            // casts: requirements and balances are below 2^150
            free -= int256(Margin.margin(Margin.worstSize(self.state, self.sums, self.fills), price, $.order, $.margin));
            free = SignedMath.min(free, self.state.collateral);
            free = SignedMath.min(free, int256(Math.min(balance($), uint256(type(int256).max))));
            return -SignedMath.max(free, 0);
        }
        Accounts.checkLock(stored, self.state, account);
        if (exposed) Freshness.check(feed, $.pricing, $.margin);
        if (money < -AccountStateStorage.MAX_COLLATERAL || self.state.collateral + money < 0) {
            revert IMarketErrors.InsufficientCollateral(self.state.collateral, SignedMath.abs(money));
        }
        return money;
    }

    /// @dev After an increase or a withdrawal the margin of the worst size must be covered, after a pure reduction its
    ///      maintenance (§10.2).
    function checkMargin(MarketStorage storage $, Update memory self, bool raised, bool ordered) private view {
        if (!raised && !ordered) return;
        int256 price = PricingStorage.price($.pricing);
        Margin.check(
            Margin.effectiveCollateral(self.state, self.sums, self.fills, price),
            Margin.worstSize(self.state, self.sums, self.fills),
            price,
            raised,
            $.order,
            $.margin
        );
    }

    /// @dev Moves tokens last, between the caller and the market.
    function transfer(MarketStorage storage $, address account, int256 money) private {
        if (money == 0) return;
        uint256 amount = SignedMath.abs(money);
        if (money > 0) {
            (IERC20 token, uint256 scale) = tokenOf($.token);
            token.safeTransferFrom(msg.sender, address(this), amount * scale);
            emit IMarketEvents.Deposited(account, msg.sender, amount);
        } else {
            pay($, msg.sender, amount);
            emit IMarketEvents.Withdrawn(account, msg.sender, amount);
        }
    }
}
