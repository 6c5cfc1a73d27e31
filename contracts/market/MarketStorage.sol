// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccrualTerms } from "../types/AccrualTerms.sol";
import { FeeTerms } from "../types/FeeTerms.sol";
import { MarginTerms } from "../types/MarginTerms.sol";
import { MarketConfig } from "../types/MarketConfig.sol";
import { OrderTerms } from "../types/OrderTerms.sol";
import { RewardRates } from "../types/RewardRates.sol";

/// @notice A version of the queue. The slots are reused, not cleared.
/// @param orders P.a: timestamp and net changes of sizes (PendingVersion.sol)
/// @param units P.b: fee units and settlement fees
/// @param fills P.c: fills of intents
struct QueueEntry {
    uint256 orders;
    uint256 units;
    uint256 fills;
}

/// @notice An account's orders at one version. The slots are reused, not cleared.
/// @param sizes O.a (AccountOrder.sol)
/// @param terms O.b: referrer and settlement fee, where there is a referrer or the fee is not its version's
/// @param fills O.c: fills of intents
struct OrderEntry {
    uint256 sizes;
    uint256 terms;
    uint256 fills;
}

/// @notice An account.
/// @param state A.state (AccountState.sol)
/// @param pending A.pending: sums over its pending orders, void without any (PendingSums.sol)
/// @param liquidation A.liquidation, void unless locked (Liquidation.sol)
/// @param claimable Referral, solver and liquidation credits, USD with 6 decimals
/// @param rewards | reward accumulator 85 | accrued rewards 171 |, only where the market has rewards
/// @param orders Pending orders by index, from the account's head on
struct Account {
    uint256 state;
    uint256 pending;
    uint256 liquidation;
    uint256 claimable;
    uint256 rewards;
    mapping(uint256 index => OrderEntry) orders;
}

/// @notice Everything that a market stores, one slot a field up to `reward`; ARCHITECTURE.md draws it.
/// @param config C0
/// @param token C1: | token 160 | scale 64 |, scale = 10^(decimals − 6)
/// @param payoff C2
/// @param fees M0
/// @param rewardRates M1
/// @param accrual RA
/// @param order RB
/// @param margin RC
/// @param book G0: settled sizes, version and queue
/// @param pendingBook G1: sizes with every pending order
/// @param accumulators G2
/// @param pricing G3
/// @param rewardAccumulators Reward tokens per unit of maker, long, short: 3 × 85 bits, 12 decimals
/// @param claimableFees | protocol 64 | oracle 64 | risk 64 | donation 64 |, USD with 6 decimals
/// @param totals | shortfall 128 | settlement fees ever split 128 |, USD with 6 decimals
/// @param reward | reward token 160 | scale 64 |
/// @param coordinator Holder of the risk parameters
/// @param beneficiary Who may claim the donation
/// @param queue Pending versions by index, from the book's head on
/// @param versions Records of versions at which orders or fills settled (Version.sol)
/// @param versionRewards Reward accumulators at those versions, where the market has rewards
/// @param explicitSettlementFees Settlement fees of versions whose record does not say them
/// @param carriedPrices Prices that invalid versions with fills carried over from before, raw with 6 decimals
/// @param settlementFeeHistory | since 32 | fee 64 |: the fee of versions after `since`; empty until it changes
///        (SettlementFees.sol)
/// @param accounts Accounts
struct MarketStorage {
    MarketConfig config;
    uint256 token;
    address payoff;
    FeeTerms fees;
    RewardRates rewardRates;
    AccrualTerms accrual;
    OrderTerms order;
    MarginTerms margin;
    uint256 book;
    uint256 pendingBook;
    uint256 accumulators;
    uint256 pricing;
    uint256 rewardAccumulators;
    uint256 claimableFees;
    uint256 totals;
    uint256 reward;
    address coordinator;
    address beneficiary;
    mapping(uint256 index => QueueEntry) queue;
    mapping(uint256 timestamp => uint256) versions;
    mapping(uint256 timestamp => uint256) versionRewards;
    mapping(uint256 timestamp => uint256) explicitSettlementFees;
    mapping(uint256 timestamp => int256) carriedPrices;
    uint256[] settlementFeeHistory;
    mapping(address account => Account) accounts;
}

/// @dev ERC-7201: keccak256(abi.encode(uint256(keccak256("perennial.storage.Market")) - 1)) & ~bytes32(uint256(0xff)).
///      tests/unit/market/test_storage.py recomputes it.
bytes32 constant MARKET_STORAGE = 0x8d00f021e5d0aa9f706c486a6b975b7d3e3f9e5c492ea44cf8626ae1ee337900;

/// @return $ The market's storage
function marketStorage() pure returns (MarketStorage storage $) {
    assembly ("memory-safe") {
        $.slot := MARKET_STORAGE
    }
}
