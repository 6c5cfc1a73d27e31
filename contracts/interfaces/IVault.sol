// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC4626 } from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import { Pocket } from "../types/Pocket.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { VaultParameter } from "../types/VaultParameter.sol";
import { IERC7540Deposit, IERC7540Operator, IERC7540Redeem, IERC7575Share } from "./IERC7540.sol";
import { IVaultErrors } from "./IVaultErrors.sol";
import { IVaultEvents } from "./IVaultEvents.sol";

/// @notice Where the epochs of a vault are.
/// @param open Epoch that redemptions join
/// @param deposits Epoch that deposits join: an earlier one while deposits wait
/// @param pending Epoch that is closed and not settled, or 0
/// @param entering Epoch of deposits that are closed and have no shares yet, or 0
/// @param closedAt When the pending epoch was closed, Unix seconds
/// @param openPockets Number of stuck markets
struct Epochs {
    uint256 open;
    uint256 deposits;
    uint256 pending;
    uint256 entering;
    uint256 closedAt;
    uint256 openPockets;
}

/// @notice The books of a vault, token units.
/// @param idle The pool's own tokens, those of closed deposits included
/// @param reserved Tokens that claimants have not fetched yet
/// @param openDeposits Assets of the epoch that is open for deposits
/// @param openRedeems Shares of the open epoch's redemptions
/// @param entering Closed deposits that have no shares yet, less what entering cost
/// @param pendingRedeems Shares of the pending epoch's redemptions
/// @param lastAssets Assets when last settled, with closed deposits and what is stuck
/// @param mark High-water mark: price of a share, 10^24 times (assets + 1) / (shares + 10^6)
/// @param insolvent Whether a loss beyond all assets has stopped deposits
struct VaultBooks {
    uint256 idle;
    uint256 reserved;
    uint256 openDeposits;
    uint256 openRedeems;
    uint256 entering;
    uint256 pendingRedeems;
    uint256 lastAssets;
    uint256 mark;
    bool insolvent;
}

/// @title Vault: maker liquidity for several markets of one token, as an asynchronous ERC-4626 vault (ERC-7540)
/// @notice Requests collect in the open epoch; closing it orders in the markets, and once these have settled past the
///         versions ordered, all requests of the epoch are claimable at one price (docs/protocol.md §12.2). Assets are in
///         token units; shares have 6 decimals more than the token. Rounding is against whoever moves.
///         Tokens and collateral that are given away to the vault do not serve anybody but its holders.
///         Holders trust the coordinator with all that the vault has: it chooses markets, among which may be its own, with
///         leverage and fees that it gains from.
interface IVault is
    IERC4626,
    IERC7540Operator,
    IERC7540Deposit,
    IERC7540Redeem,
    IERC7575Share,
    IERC165,
    IVaultErrors,
    IVaultEvents
{
    // -- Epochs ------------------------------------------------------------------------------------------------------

    /// @notice Closes the open epoch: fixes its requests, orders what they need in the markets that accept it, and moves
    ///         collateral. Anyone, once the epoch before has settled (which it tries first).
    /// @dev Reverts with EpochPending, NothingToClose, ProtocolPaused, InsufficientGas.
    function closeEpoch() external;

    /// @notice Settles the pending epoch if every market that it waits for is settled past its version, or a day has
    ///         passed. Anyone; does nothing where that is not so.
    /// @dev Reverts with InsufficientGas.
    function settle() external;

    /// @notice Closes the open epoch, with requests or without, if a market is off its target by more than the tolerance
    ///         and accepts an order or a change of collateral. Anyone. What was closed at the expense of all holders is not
    ///         opened again at their expense for a day.
    /// @dev Reverts with EpochPending, NothingToRebalance, ProtocolPaused, InsufficientGas.
    function rebalance() external;

    /// @notice Takes back a deposit that waits in an epoch which is still open for deposits: while a market is stuck it
    ///         might be for ever (§12.3). All of it. The controller or its operator.
    /// @dev Reverts with NotOperator, NothingToRecall.
    /// @param controller Whose request
    /// @param receiver Who gets the tokens
    /// @return assets Given back, token units
    function recallDeposit(address controller, address receiver) external returns (uint256 assets);

    /// @notice Pays a controller's part of what a stuck market has returned (§12.3). The controller or its operator.
    /// @dev Reverts with NotOperator, PocketOpen.
    /// @param pocket Id of the pocket
    /// @param controller Whose part
    /// @param receiver Who gets the tokens
    /// @return assets Paid
    function claimReturned(uint256 pocket, address controller, address receiver) external returns (uint256 assets);

    // -- Coordinator -------------------------------------------------------------------------------------------------

    /// @notice Sets the vault up. The factory, once.
    /// @dev Reverts with NotFactory, AlreadyInitialized, ParameterOutOfBounds.
    /// @param asset_ ERC-20 of 6 to 18 decimals
    /// @param scale 10^(decimals − 6)
    /// @param name_ Of the shares
    /// @param symbol_ Of the shares
    /// @param coordinator_ Who holds parameters and markets
    /// @param parameter_ Parameters
    function initialize(
        address asset_,
        uint256 scale,
        string calldata name_,
        string calldata symbol_,
        address coordinator_,
        VaultParameter calldata parameter_
    ) external;

    /// @notice Adds a market of the same token. Coordinator; a pending epoch that can settle does so first.
    /// @dev Reverts with NotCoordinator, EpochPending, UnknownMarket, WrongToken, AlreadyRegistered, TooManyMarkets,
    ///      ParameterOutOfBounds. It is used from the next epoch or rebalance on.
    /// @param market A market of the MarketFactory
    /// @param weight Part of the assets, relative to the sum of weights, 32 bits
    /// @param leverage Notional by collateral, 6 decimals, at most 100
    function register(address market, uint256 weight, uint256 leverage) external;

    /// @notice Changes weight and leverage, from the next epoch or rebalance on: one that is pending settles with the
    ///         leverage that it was closed with. Coordinator.
    /// @dev Reverts with NotCoordinator, NotRegistered, ParameterOutOfBounds.
    /// @param market A registered market
    /// @param weight As in `register`; 0 winds the market down
    /// @param leverage As in `register`
    function updateMarket(address market, uint256 weight, uint256 leverage) external;

    /// @notice Removes a market without weight, position, orders and pocket; collateral left in it comes back first.
    ///         Coordinator; a pending epoch that can settle does so first.
    /// @dev Reverts with NotCoordinator, NotRegistered, EpochPending, MarketInUse, or the market's error.
    /// @param market A registered market
    function unregister(address market) external;

    /// @notice Sets the parameters. Coordinator, while no epoch is pending; one that can settle does so first.
    /// @dev Reverts with NotCoordinator, EpochPending, ParameterOutOfBounds.
    /// @param newParameter New values
    function updateParameter(VaultParameter calldata newParameter) external;

    /// @notice Hands the coordination over. Coordinator, or the owner of the VaultFactory.
    /// @dev Reverts with NotCoordinator, ZeroAddress.
    /// @param newCoordinator New coordinator
    function updateCoordinator(address newCoordinator) external;

    /// @notice Fetches reward tokens that the vault's position has earned, for distribution. Coordinator.
    /// @dev Reverts with NotCoordinator, NotRegistered, or the market's error.
    /// @param market A registered market
    /// @param receiver Who gets them
    /// @return amount Paid, 6 decimals
    function claimReward(address market, address receiver) external returns (uint256 amount);

    // -- Views -------------------------------------------------------------------------------------------------------

    /// @return Where the epochs are
    function epochs() external view returns (Epochs memory);

    /// @return The books
    function books() external view returns (VaultBooks memory);

    /// @return The parameters
    function parameter() external view returns (VaultParameter memory);

    /// @return Who holds parameters and markets
    function coordinator() external view returns (address);

    /// @return The factory that made the vault
    function factory() external view returns (address);

    /// @return All markets
    function markets() external view returns (VaultMarket[] memory);

    /// @param id 1 or more
    /// @return What was left behind in a stuck market
    function pockets(uint256 id) external view returns (Pocket memory);

    /// @notice A controller's part of a pocket: `payout · units / redeemed` once resolved.
    /// @return Shares, those of settled requests included
    function pocketUnits(uint256 id, address controller) external view returns (uint256);

    /// @notice What the deposits of an epoch came to.
    /// @return assets Handed in; 0 until settled
    /// @return shares Minted for them
    function depositRate(uint256 epoch) external view returns (uint256 assets, uint256 shares);

    /// @notice What the redemptions of an epoch came to.
    /// @return shares Handed in; 0 until settled
    /// @return assets Paid for them
    /// @return unfilled Shares that are given back
    function redeemRate(uint256 epoch) external view returns (uint256 shares, uint256 assets, uint256 unfilled);
}
