// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Pocket } from "../types/Pocket.sol";
import { VaultMarket } from "../types/VaultMarket.sol";

/// @notice Who pays the fees of an epoch's orders.
enum Payer {
    Nobody,
    Deposits,
    Redeems
}

/// @notice A request, one slot: of a controller in one epoch.
/// @param epoch Epoch that it is in
/// @param amount Assets or shares; 0 for none
struct Request {
    uint32 epoch;
    uint128 amount;
}

/// @notice What a controller may claim, one slot.
/// @param assets Token units
/// @param shares Shares
struct Claim {
    uint128 assets;
    uint128 shares;
}

/// @notice What all requests of an epoch came to, one slot; `assets` of deposits and `shares` of redemptions are what was
///         handed in, and not zero once settled.
/// @param assets Token units
/// @param shares Shares
struct Rate {
    uint128 assets;
    uint128 shares;
}

/// @notice Where an epoch could not pay all redemptions.
/// @param unfilled Shares that are given back
/// @param pockets Pockets that those who left have a part in
struct Shortage {
    uint128 unfilled;
    uint32[] pockets;
}

/// @notice A controller's requests of one kind: at most two epochs are unsettled at once, one even and one odd.
/// @param slots By the last bit of the epoch
/// @param claim What became claimable of settled ones
struct Ledger {
    Request[2] slots;
    Claim claim;
}

/// @notice Everything that a vault stores but for its ERC-20 shares. Amounts are token units.
/// @param minDeposit P: VaultParameter
/// @param depositCap P
/// @param profitShare P
/// @param tolerance P
/// @param insolvent P: whether a loss beyond all assets has stopped deposits
/// @param epoch E: open epoch; ids begin at 1
/// @param depositEpoch E: epoch that is open for deposits: an earlier one while deposits wait
/// @param pending E: epoch that is closed and not settled, or 0
/// @param entering E: epoch of deposits that are closed and have no shares yet, or 0
/// @param closedAt E: when the pending epoch was closed
/// @param openPockets E: number of stuck markets
/// @param payer E: who pays the fees of the pending epoch's orders
/// @param pocketCount E: pockets so far
/// @param idle C: the pool's own tokens, those of closed deposits included
/// @param reserved C: tokens that claimants have not fetched yet
/// @param lastAssets N: assets when last settled, with closed deposits and what is stuck
/// @param openDeposits N: assets of the epoch that is open for deposits
/// @param mark H: high-water mark, price of a share
/// @param openRedeems H: shares of the open epoch's redemptions
/// @param enteringNet K: closed deposits that have no shares yet, less what entering cost
/// @param enteringGross of the same, as handed in
/// @param pendingRedeems Shares of the pending epoch's redemptions
/// @param asset ERC-20
/// @param scale 10^(decimals − 6)
/// @param shareDecimals Decimals of the shares
/// @param coordinator Who holds parameters and markets
/// @param name Of the shares
/// @param symbol Of the shares
/// @param markets In order of registration; the last takes the place of one that is removed
/// @param pockets By id
/// @param pocketUnits Shares with a part in a pocket, by controller
/// @param depositRates By epoch
/// @param redeemRates By epoch
/// @param shortages By epoch
/// @param deposits By controller
/// @param redeems By controller
/// @param operators Of controllers
struct VaultStorage {
    uint96 minDeposit;
    uint96 depositCap;
    uint24 profitShare;
    uint24 tolerance;
    bool insolvent;
    uint32 epoch;
    uint32 depositEpoch;
    uint32 pending;
    uint32 entering;
    uint40 closedAt;
    uint8 openPockets;
    Payer payer;
    uint32 pocketCount;
    uint128 idle;
    uint128 reserved;
    uint128 lastAssets;
    uint128 openDeposits;
    uint128 mark;
    uint128 openRedeems;
    uint128 enteringNet;
    uint128 enteringGross;
    uint128 pendingRedeems;
    address asset;
    uint64 scale;
    uint8 shareDecimals;
    address coordinator;
    string name;
    string symbol;
    VaultMarket[] markets;
    mapping(uint256 id => Pocket) pockets;
    mapping(uint256 id => mapping(address controller => uint256)) pocketUnits;
    mapping(uint256 epoch => Rate) depositRates;
    mapping(uint256 epoch => Rate) redeemRates;
    mapping(uint256 epoch => Shortage) shortages;
    mapping(address controller => Ledger) deposits;
    mapping(address controller => Ledger) redeems;
    mapping(address controller => mapping(address operator => bool)) operators;
}

/// @dev ERC-7201: keccak256(abi.encode(uint256(keccak256("perennial.storage.Vault")) - 1)) & ~bytes32(uint256(0xff)).
bytes32 constant VAULT_STORAGE = 0xbd8b34ea714a2cedd5b2126d58cba9e7efeecfe9edfbc0130cf0e30f5717eb00;

/// @return $ The vault's storage
function vaultStorage() pure returns (VaultStorage storage $) {
    assembly ("memory-safe") {
        $.slot := VAULT_STORAGE
    }
}
