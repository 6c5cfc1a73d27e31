// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState } from "../types/AccountState.sol";
import { Side } from "../types/Side.sol";
import { Account, OrderEntry } from "./MarketStorage.sol";

/// @notice An account's pending fills, summed over its versions; within a version they are netted. Raw with 6 decimals.
/// @param size Net size, positive where it bought
/// @param notional Sum of sizes times agreed prices, USD with 12 decimals
/// @param side Side that they are judged against: of the settled size, else of the first fill
/// @param opens Sizes along that side
/// @param closes Sizes against it
/// @param worst Largest size, settled or after any pending version
/// @param crosses Whether they take the account through zero (§5.3)
struct PendingFills {
    int256 size;
    int256 notional;
    Side side;
    uint256 opens;
    uint256 closes;
    uint256 worst;
    bool crosses;
}

/// @title Pending fills of an account (docs/protocol.md §5.3, §9.3, §10.2)
/// @dev They are summed up when needed, over at most maxPendingLocal versions: nothing is stored beside the versions that
///      could outlive them. Accounts without fills pay nothing for it.
library Fills {
    /// @notice Sums up an account's pending fills into `fills`, which is zero or what it was before one more.
    function pending(PendingFills memory fills, Account storage self, AccountState memory state) internal view {
        fills.worst = state.size;
        if (!state.filled) return;

        (fills.size, fills.notional, fills.opens, fills.closes, fills.crosses) = (0, 0, 0, 0, false);
        fills.side = state.size == 0 ? Side.None : state.side;
        int256 size = state.signedSize();
        // At most 2^16 versions, each below 2^63 in size and 2^127 in notional.
        unchecked {
            for (uint256 i = 0; i < state.count; ++i) {
                OrderEntry storage entry = self.orders[(state.head + i) & type(uint16).max];
                if (!AccountOrderStorage.hasFillsIn(entry.sizes)) continue;
                (int256 fillSize, int256 fillNotional) = AccountOrderStorage.fillsOf(entry.fills);
                size += fillSize;
                fills.notional += fillNotional;
                if (fillSize != 0) add(fills, fillSize, size);
            }
        }
    }

    /// @dev One version's fills, which are not nothing and after which the account has the signed size `size`.
    function add(PendingFills memory fills, int256 fillSize, int256 size) private pure {
        // casts: below 2^80
        unchecked {
            fills.size += fillSize;
            Side along = fillSize > 0 ? Side.Long : Side.Short;
            if (fills.side == Side.None) fills.side = along;
            if (along == fills.side) fills.opens += SignedMath.abs(fillSize);
            else fills.closes += SignedMath.abs(fillSize);

            uint256 magnitude = SignedMath.abs(size);
            if (magnitude > fills.worst) fills.worst = magnitude;
            if (size != 0 && (size > 0) != (fills.side == Side.Long)) fills.crosses = true;
        }
    }
}
