// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { AccountOrder, AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState } from "../types/AccountState.sol";
import { BookStorage, SettledBook } from "../types/Book.sol";
import { PendingVersion, PendingVersionStorage } from "../types/PendingVersion.sol";
import { Accounts } from "./Accounts.sol";
import { Account, MarketStorage, OrderEntry, QueueEntry } from "./MarketStorage.sol";
import { PriceFeed } from "./Prices.sol";

/// @title The queues of pending versions, the market's and the accounts': their tails, where orders and fills are added
library Queues {
    /// @dev Caps on unsettled versions (§5.7). Liquidations are exempt, up to what the 16 bits of a count can hold.
    function checkCount(uint256 count, bool forced, uint256 limit) private pure {
        if (forced) limit = type(uint16).max;
        if (count >= limit) revert IMarketErrors.TooManyPending(count, limit);
    }

    /// @notice Whether the market's newest version is the current one; else there must be room for another.
    /// @param word Slot G1
    /// @param forced Whether a liquidation asks
    function joins(SettledBook memory book, uint256 word, PriceFeed memory feed, bool forced)
        internal
        pure
        returns (bool)
    {
        uint256 newest = BookStorage.timestampOf(word);
        if (book.count != 0 && newest == feed.current) return true;
        // The queue is in order of time; only a provider that goes back could break it.
        if (book.count != 0 && feed.current < newest) revert IMarketErrors.InvalidVersion(feed.current);
        checkCount(book.count, forced, feed.config.maxPendingGlobal());
        return false;
    }

    /// @notice The market's newest version if it is the current one, else the next, empty.
    /// @param joined Whether it is the current one
    function openVersion(MarketStorage storage $, SettledBook memory book, bool joined, uint256 current)
        internal
        view
        returns (QueueEntry storage entry, PendingVersion memory pending)
    {
        unchecked {
            entry = $.queue[(book.head + book.count - (joined ? 1 : 0)) & type(uint16).max];
        }
        if (joined) PendingVersionStorage.loadSizes(pending, entry.orders);
        else pending.timestamp = current;
    }

    /// @notice The account's newest entry if it is of the current version, else the next one, empty; counted in `state`.
    function openOrder(
        MarketStorage storage $,
        Account storage self,
        PriceFeed memory feed,
        AccountState memory state,
        bool forced
    ) internal view returns (OrderEntry storage entry, AccountOrder memory total) {
        unchecked {
            if (state.count != 0) {
                entry = self.orders[(state.head + state.count - 1) & type(uint16).max];
                uint256 sizes = entry.sizes;
                if (AccountOrderStorage.timestampOf(sizes) == feed.current) {
                    AccountOrderStorage.loadSizes(total, sizes);
                    Accounts.loadTerms($, feed, entry, total);
                    return (entry, total);
                }
            }
            checkCount(state.count, forced, feed.config.maxPendingLocal());
            entry = self.orders[(state.head + state.count) & type(uint16).max];
            ++state.count;
            total.timestamp = feed.current;
        }
    }
}
