// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Book } from "../types/Book.sol";
import { RewardRates } from "../types/RewardRates.sol";
import { Side } from "../types/Side.sol";
import { DUST } from "./Interval.sol";
import { Account, MarketStorage } from "./MarketStorage.sol";

/// @title Rewards to the three sides, in a token of their own (docs/protocol.md §7.4)
library Rewards {
    /// @dev Bits of an accumulator: three fill a slot.
    uint256 internal constant BITS = 85;

    uint256 private constant MAX = 2 ** BITS - 1;

    /// @notice Accrues the reward tokens of an interval per unit of each side.
    /// @param sizes Settled sizes
    /// @param elapsed Seconds
    function accrue(MarketStorage storage $, Book memory sizes, uint256 elapsed) internal {
        RewardRates rates = $.rewardRates;
        uint256 word = $.rewardAccumulators;
        $.rewardAccumulators = grown(word, 0, rates.makerRate(), sizes.maker, elapsed)
            | grown(word, BITS, rates.longRate(), sizes.long, elapsed)
            | grown(word, 2 * BITS, rates.shortRate(), sizes.short, elapsed);
    }

    /// @dev One accumulator, in its place in the word. What would not fit is not distributed (§1.6).
    function grown(uint256 word, uint256 offset, uint256 rate, uint256 size, uint256 elapsed)
        private
        pure
        returns (uint256)
    {
        uint256 accumulator = (word >> offset) & MAX;
        if (size >= DUST) {
            uint256 next = accumulator + rate * elapsed * 1e12 / size;
            if (next <= MAX) accumulator = next;
        }
        return accumulator << offset;
    }

    /// @notice Brings an account's rewards from its accumulator to that of `word`, for the size it has held since; at
    ///         size 0 they just start there.
    function settle(Account storage self, uint256 word, Side side, uint256 size) internal {
        uint256 stored = self.rewards;
        uint256 accumulator = ofSide(word, side);
        uint256 accrued = stored >> BITS;
        if (size != 0) accrued += size * (accumulator - (stored & MAX)) / 1e12;
        self.rewards = accumulator | accrued << BITS;
    }

    function ofSide(uint256 word, Side side) private pure returns (uint256) {
        if (side == Side.None) return 0;
        return (word >> (uint256(side) - 1) * BITS) & MAX;
    }
}
