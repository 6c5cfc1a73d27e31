// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Rounding } from "../math/Rounding.sol";
import { AccumulatorStorage } from "./Accumulators.sol";
import { Side } from "./Side.sol";

/// @notice An account as of its last settlement (slot A.state).
/// @param collateral USD with 6 decimals; negative where the account owes the market
/// @param size Settled size, raw with 6 decimals, below 2^63
/// @param side Side of the size, or of the pending opens where the size is 0; without either it means nothing
/// @param accumulator Its side's accumulator at its last settlement, 12 decimals
/// @param head Index of its oldest pending order
/// @param count Number of its pending versions
/// @param locked Whether a liquidation waits for its version
/// @param ordered Whether A.pending means something: since there were no pending versions, an order was placed
/// @param filled Whether fills may be pending: since there were no pending versions, an intent was filled
struct AccountState {
    int256 collateral;
    uint256 size;
    Side side;
    int256 accumulator;
    uint256 head;
    uint256 count;
    bool locked;
    bool ordered;
    bool filled;
}

using { signedSize } for AccountState global;

/// @return A taker's settled size, positive where long, raw with 6 decimals; 0 for makers
function signedSize(AccountState memory self) pure returns (int256) {
    // casts: sizes are below 2^63
    if (self.side == Side.Long) return int256(self.size);
    return self.side == Side.Short ? -int256(self.size) : int256(0);
}

/// @title Slot A.state
library AccountStateStorage {
    int256 internal constant MAX_COLLATERAL = type(int64).max;

    // | collateral 64 signed | size 63 | side 2 | accumulator 80 signed | head 16 | count 16 | locked 1 | ordered 1 | filled 1 | 12 unused |
    /// @dev Unpacks A.state into a state.
    function load(AccountState memory self, uint256 word) internal pure {
        self.collateral = collateral(word);
        self.size = (word >> 64) & ((1 << 63) - 1);
        self.side = Side((word >> 127) & 3);
        self.accumulator = AccumulatorStorage.extract(word, 129);
        self.head = (word >> 209) & type(uint16).max;
        self.count = (word >> 225) & type(uint16).max;
        self.locked = (word >> 241) & 1 == 1;
        self.ordered = (word >> 242) & 1 == 1;
        self.filled = (word >> 243) & 1 == 1;
    }

    /// @dev Packs A.state.
    function store(AccountState memory self) internal pure returns (uint256) {
        // casts: two's complement, cut to its 64 bits
        return uint256(uint64(int64(bound(self.collateral)))) | self.size << 64 | uint256(self.side) << 127
            | AccumulatorStorage.insert(self.accumulator, 129) | self.head << 209 | self.count << 225
            | (self.locked ? 1 << 241 : 0) | (self.ordered ? 1 << 242 : 0) | (self.filled ? 1 << 243 : 0);
    }

    /// @dev The collateral alone.
    function collateral(uint256 word) internal pure returns (int256) {
        return int256(int64(uint64(word)));
    }

    /// @dev Collateral saturates at the bounds of 64 bits: settlement never reverts (§1.6).
    function bound(int256 amount) internal pure returns (int256) {
        return Rounding.clamp(amount, MAX_COLLATERAL);
    }
}
