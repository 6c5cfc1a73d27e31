// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { Rounding } from "../math/Rounding.sol";
import { AccountState } from "../types/AccountState.sol";
import { MarginTerms } from "../types/MarginTerms.sol";
import { OrderTerms } from "../types/OrderTerms.sol";
import { PendingSums } from "../types/PendingSums.sol";

/// @title Margin: what an account has and what it needs (docs/protocol.md §10.1, §10.2)
/// @dev USD with 6 decimals; what an account needs is rounded up, what it has is rounded down.
library Margin {
    /// @notice Collateral less the fees of pending orders.
    /// @param price Latest valid price
    function effectiveCollateral(AccountState memory state, PendingSums memory sums, int256 price)
        internal
        pure
        returns (int256)
    {
        unchecked {
            uint256 fees = Rounding.ceilDiv(sums.units * SignedMath.abs(price), 1e12) + sums.settlement;
            // casts: units are below 2^86, prices below 2^57
            return state.collateral - int256(fees);
        }
    }

    /// @notice The largest size that the account can come to have: no pending close counts.
    function worstSize(AccountState memory state, PendingSums memory sums) internal pure returns (uint256) {
        unchecked {
            return state.size + sums.opens;
        }
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
