// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The liquidation that an account waits for, while it is locked (slot A.liquidation; docs/protocol.md §10.5).
/// @param liquidator Who earns the fee
/// @param fee Fee, USD with 6 decimals; 0 where the liquidation closed nothing
/// @param timestamp Version at which it settles and the lock ends
struct Liquidation {
    address liquidator;
    uint256 fee;
    uint256 timestamp;
}

/// @title Slot A.liquidation
library LiquidationStorage {
    // | liquidator 160 | fee 48 | timestamp 32 | 16 unused |
    /// @dev Unpacks A.liquidation.
    function load(uint256 word) internal pure returns (Liquidation memory self) {
        // casts: the lowest 160 bits are the address
        self.liquidator = address(uint160(word));
        self.fee = (word >> 160) & type(uint48).max;
        self.timestamp = word >> 208;
    }

    /// @dev The fee is at most maxLiquidationFee, 48 bits (§4.1).
    function pack(address liquidator, uint256 fee, uint256 timestamp) internal pure returns (uint256) {
        return uint256(uint160(liquidator)) | fee << 160 | timestamp << 208;
    }
}
