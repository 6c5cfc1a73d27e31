// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarketErrors } from "../interfaces/IMarketErrors.sol";
import { Rounding } from "../math/Rounding.sol";
import { AccountState } from "../types/AccountState.sol";
import { MarginTerms } from "../types/MarginTerms.sol";
import { OrderTerms } from "../types/OrderTerms.sol";
import { PendingSums } from "../types/PendingSums.sol";
import { PendingFills } from "./Fills.sol";

/// @title Margin: what an account has and what it needs (docs/protocol.md §10.1, §10.2)
/// @dev USD with 6 decimals; what an account needs is rounded up, what it has is rounded down.
library Margin {
    /// @notice Collateral less the fees of pending orders, plus the price guarantees of pending fills.
    /// @param price Latest valid price
    function effectiveCollateral(
        AccountState memory state,
        PendingSums memory sums,
        PendingFills memory fills,
        int256 price
    ) internal pure returns (int256) {
        // Units are below 2^86, prices below 2^57, notionals below 2^127.
        unchecked {
            uint256 fees = Rounding.ceilDiv(sums.units * SignedMath.abs(price), 1e12) + sums.settlement;
            return state.collateral - int256(fees) + Rounding.floorDiv(fills.size * price - fills.notional, 1e6);
        }
    }

    /// @notice The largest size that the account can come to have (§10.2): with orders pending no close counts; fills
    ///         alone stand, so that their sizes are known.
    function worstSize(AccountState memory state, PendingSums memory sums, PendingFills memory fills)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return hasOrders(sums) ? state.size + sums.opens + fills.opens : fills.worst;
        }
    }

    /// @notice The settled size less what is closing already (§5.3, §10.5).
    function closable(AccountState memory state, PendingSums memory sums, PendingFills memory fills)
        internal
        pure
        returns (uint256)
    {
        return fills.crosses ? 0 : Rounding.subFloor(state.size, sums.closes + fills.closes);
    }

    /// @notice Whether orders are pending, not just fills.
    function hasOrders(PendingSums memory sums) internal pure returns (bool) {
        return sums.opens | sums.closes != 0;
    }

    /// @notice What a size needs after an increase or a withdrawal.
    function margin(uint256 size, int256 price, OrderTerms order, MarginTerms terms) internal pure returns (uint256) {
        return required(size, price, order.margin(), terms.minMargin());
    }

    /// @notice What a size needs not to be liquidated.
    function maintenance(uint256 size, int256 price, OrderTerms order, MarginTerms terms)
        internal
        pure
        returns (uint256)
    {
        return required(size, price, order.maintenance(), terms.minMaintenance());
    }

    /// @notice After an increase or a withdrawal the margin of the worst size must be covered, after a pure reduction its
    ///         maintenance (§10.2).
    /// @param raised Whether it was an increase or a withdrawal
    function check(int256 effective, uint256 worst, int256 price, bool raised, OrderTerms order, MarginTerms terms)
        internal
        pure
    {
        // casts: requirements are below 2^150
        if (raised) {
            uint256 needed = margin(worst, price, order, terms);
            if (effective < int256(needed)) revert IMarketErrors.InsufficientMargin(effective, needed);
        } else {
            uint256 needed = maintenance(worst, price, order, terms);
            if (effective < int256(needed)) revert IMarketErrors.InsufficientMaintenance(effective, needed);
        }
    }

    /// @notice The fee of a liquidation that closes a size (§10.5).
    function liquidationFee(uint256 size, int256 price, OrderTerms order, MarginTerms terms)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            if (size == 0) return 0;
            uint256 share = size * SignedMath.abs(price) * order.maintenance() * terms.liquidationFee();
            return
                Math.min(Math.max(Rounding.ceilDiv(share, 1e18), terms.minLiquidationFee()), terms.maxLiquidationFee());
        }
    }

    function required(uint256 size, int256 price, uint256 ratio, uint256 min) private pure returns (uint256) {
        unchecked {
            return size == 0 ? 0 : Math.max(Rounding.ceilDiv(size * SignedMath.abs(price) * ratio, 1e12), min);
        }
    }
}
