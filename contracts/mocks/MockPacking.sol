// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClaimableFees, Fees } from "../market/Fees.sol";
import { AccountOrder, AccountOrderStorage } from "../types/AccountOrder.sol";
import { AccountState, AccountStateStorage } from "../types/AccountState.sol";
import { AccumulatorStorage, Accumulators } from "../types/Accumulators.sol";
import { Book, BookStorage, SettledBook } from "../types/Book.sol";
import { Liquidation, LiquidationStorage } from "../types/Liquidation.sol";
import { PendingSums, PendingSumsStorage } from "../types/PendingSums.sol";
import { PendingVersion, PendingVersionStorage } from "../types/PendingVersion.sol";
import { Pricing, PricingStorage } from "../types/Pricing.sol";
import { VersionStorage } from "../types/Version.sol";

/// @title MockPacking
/// @notice Packs what a market stores and unpacks it again, for tests: each function gives back what it was given.
contract MockPacking {
    /// @notice Slot A.state.
    /// @param value an account
    /// @return same the same
    function account(AccountState calldata value) external pure returns (AccountState memory same) {
        AccountStateStorage.load(same, AccountStateStorage.store(value));
    }

    /// @notice Slots O.a, O.b and O.c.
    /// @param value an order
    /// @return same the same
    function order(AccountOrder calldata value) external pure returns (AccountOrder memory same) {
        AccountOrderStorage.loadSizes(same, AccountOrderStorage.storeSizes(value));
        AccountOrderStorage.loadTerms(same, AccountOrderStorage.storeTerms(value));
        AccountOrderStorage.loadFills(same, AccountOrderStorage.storeFills(value));
    }

    /// @notice Slots P.a, P.b and P.c.
    /// @param value a pending version
    /// @return same the same
    function pendingVersion(PendingVersion calldata value) external pure returns (PendingVersion memory same) {
        PendingVersionStorage.loadSizes(same, PendingVersionStorage.storeSizes(value));
        PendingVersionStorage.loadUnits(same, PendingVersionStorage.storeUnits(value));
        PendingVersionStorage.loadFills(same, PendingVersionStorage.storeFills(value));
    }

    /// @notice Slot A.pending.
    /// @param value sums over pending orders
    /// @return same the same
    function sums(PendingSums calldata value) external pure returns (PendingSums memory same) {
        PendingSumsStorage.load(same, PendingSumsStorage.store(value));
    }

    /// @notice Slot G0.
    /// @param value the settled book
    /// @return the same
    function settledBook(SettledBook calldata value) external pure returns (SettledBook memory) {
        return BookStorage.loadSettled(BookStorage.store(value));
    }

    /// @notice Slot G1.
    /// @param sizes sizes with every pending order
    /// @param newest the newest pending version
    /// @return same the same sizes
    /// @return version_ the same version
    function pendingBook(Book calldata sizes, uint256 newest)
        external
        pure
        returns (Book memory same, uint256 version_)
    {
        uint256 word = BookStorage.store(sizes, newest);
        BookStorage.loadSizes(same, word);
        version_ = BookStorage.timestampOf(word);
    }

    /// @notice Slot A.liquidation.
    /// @param value a liquidation
    /// @return the same
    function liquidation(Liquidation calldata value) external pure returns (Liquidation memory) {
        return LiquidationStorage.load(LiquidationStorage.pack(value.liquidator, value.fee, value.timestamp));
    }

    /// @notice Slot G3.
    /// @param value price, rate and fees
    /// @return the same
    function pricing(Pricing calldata value) external pure returns (Pricing memory) {
        return PricingStorage.load(PricingStorage.store(value));
    }

    /// @notice Slot G2.
    /// @param value accumulators
    /// @return the same
    function accumulators(Accumulators calldata value) external pure returns (Accumulators memory) {
        return AccumulatorStorage.load(AccumulatorStorage.store(value));
    }

    /// @notice A version's record.
    /// @param value accumulators
    /// @param valid whether it has a price
    /// @param filled whether it has fills
    /// @param count how many settlement fees it has
    /// @return the same accumulators
    /// @return the same
    /// @return the same
    /// @return the same
    function version(Accumulators calldata value, bool valid, bool filled, uint256 count)
        external
        pure
        returns (Accumulators memory, bool, bool, uint256)
    {
        uint256 word = VersionStorage.pack(AccumulatorStorage.store(value), valid, filled, count);
        return (
            AccumulatorStorage.load(word),
            VersionStorage.valid(word),
            VersionStorage.filled(word),
            VersionStorage.feeCount(word)
        );
    }

    /// @notice The slot of fees.
    /// @param value fees
    /// @return the same, cut to 64 bits each
    function claimableFees(ClaimableFees calldata value) external pure returns (ClaimableFees memory) {
        return Fees.load(Fees.store(value));
    }
}
