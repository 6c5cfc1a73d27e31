// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { TransientSlot } from "@openzeppelin/contracts/utils/TransientSlot.sol";

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { MarketStorage } from "./MarketStorage.sol";
import { PriceFeed, Prices } from "./Prices.sol";
import { Settlement } from "./Settlement.sol";

/// @title What Market and its extension share: factory, lock, pause, tokens
abstract contract MarketBase {
    using SafeERC20 for IERC20;
    using TransientSlot for *;

    /// @notice The factory that opened the market: its beacon, owner, pause and approvals.
    address public immutable factory;

    /// @dev Transient: one lock over all of a market's calls, in either contract.
    bytes32 private constant LOCK = keccak256("perennial.lock.Market");

    /// @dev A token's callback cannot come back in.
    modifier nonReentrant() {
        TransientSlot.BooleanSlot lock = LOCK.asBoolean();
        if (lock.tload()) revert IMarketErrors.Reentered();
        lock.tstore(true);
        _;
        lock.tstore(false);
    }

    /// @param factory_ The MarketFactory whose beacon serves this code
    constructor(address factory_) {
        factory = factory_;
    }

    /// @dev Refuses while paused, asks the oracle, settles at most `max` pending versions of the market.
    function sync(MarketStorage storage $, uint256 max) internal returns (PriceFeed memory feed) {
        (uint256 protocolFee, bool paused) = IMarketFactory(factory).status();
        if (paused && !isOwner()) revert IMarketErrors.MarketPaused();
        feed = Prices.open($.config);
        Settlement.sync($, feed, protocolFee, max);
    }

    /// @dev Whether the caller is the factory's owner, whom the pause does not stop.
    function isOwner() internal view returns (bool) {
        return msg.sender == Ownable(factory).owner();
    }

    /// @dev The account itself, or an operator that it approved.
    function checkOperator(address account) internal view {
        if (msg.sender == account || IMarketFactory(factory).operators(account, msg.sender)) return;
        revert IMarketErrors.NotOperator(account, msg.sender);
    }

    /// @dev A token and what one raw unit of 6 decimals is in it.
    function tokenOf(uint256 word) internal pure returns (IERC20 token, uint256 scale) {
        // casts: the lowest 160 bits are the address
        return (IERC20(address(uint160(word))), word >> 160);
    }

    /// @dev Tokens that the market holds, USD with 6 decimals, rounded down.
    function balance(MarketStorage storage $) internal view returns (uint256) {
        (IERC20 token, uint256 scale) = tokenOf($.token);
        return token.balanceOf(address(this)) / scale;
    }

    /// @dev Pays out, or says that the market cannot (§10.6).
    function pay(MarketStorage storage $, address receiver, uint256 amount) internal {
        (IERC20 token, uint256 scale) = tokenOf($.token);
        uint256 held = token.balanceOf(address(this)) / scale;
        if (amount > held) revert IMarketErrors.InsufficientTokens(held, amount);
        token.safeTransfer(receiver, amount * scale);
    }
}
