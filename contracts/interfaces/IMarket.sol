// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fixed6 } from "../math/Fixed6.sol";
import { UFixed6 } from "../math/UFixed6.sol";
import { Cross } from "../types/Cross.sol";
import { Fill } from "../types/Fill.sol";
import { Intent } from "../types/Intent.sol";
import { MarketDefinition } from "../types/MarketDefinition.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { Position } from "../types/Position.sol";
import { RiskParameter } from "../types/RiskParameter.sol";
import { IMarketErrors } from "./IMarketErrors.sol";
import { IMarketEvents } from "./IMarketEvents.sol";

/// @title Market: where makers, longs and shorts settle against one price
/// @notice Every amount, size, price and rate has 6 decimals (docs/protocol.md §1.1); timestamps are Unix seconds.
///         Views read what was last settled: call `settle` first for the present. Every call of a user reverts with
///         MarketPaused while the protocol is paused; what settles or moves money reverts with Reentered inside another
///         such call, and with InvalidVersion where the oracle gives a version that time cannot have.
interface IMarket is IMarketErrors, IMarketEvents {
    // -- Trading -----------------------------------------------------------------------------------------------------

    /// @notice Changes an account's size at the current version (§5.2) and its collateral at once (§5.8).
    ///         Settles the market and the account first; with no deltas that is all it does.
    /// @dev Sizes and withdrawals: the account or its operator. Deposits: anyone, from the caller's tokens.
    ///      Reverts with NotOperator, BothSides, FillCrosses, WrongSide, OverClose, AccountLocked, StalePrice,
    ///      MarketClosed, TooManyPending, SizeOverflow, MakerLimitExceeded, EfficiencyTooLow, UncoveredClose,
    ///      CollateralOverflow, ReferrerMismatch, InsufficientCollateral, InsufficientMargin, InsufficientMaintenance,
    ///      InsufficientTokens.
    /// @param account Whose account
    /// @param makerDelta Change of maker size; `int256.min` closes all that may be closed
    /// @param takerDelta Change of taker size, positive towards long; `int256.min` closes all that may be closed
    /// @param collateralDelta USD in (positive) or out; `int256.min` withdraws the most that is accepted
    /// @param referrer Who gets the referral share of this order's fee (§6.3); zero for nobody
    function update(address account, Fixed6 makerDelta, Fixed6 takerDelta, Fixed6 collateralDelta, address referrer)
        external;

    /// @notice Settles the market and the account up to the oracle's latest version (§5.6). Anyone may call.
    /// @param account Whose account
    function settle(address account) external;

    /// @notice Settles at most `max` pending versions of the market, so that a backlog of any length can be worked off
    ///         in pieces (§5.7). Anyone may call.
    /// @param max Number of pending versions
    function advance(uint256 max) external;

    /// @notice Closes what is left of an unhealthy account at the current version and locks it until then (§10.5).
    ///         Anyone may call; the caller earns the liquidation fee when the close settles.
    /// @dev Reverts with NotLiquidatable, AccountLocked, StalePrice.
    /// @param account Whose account
    function liquidate(address account) external;

    // -- Intents -----------------------------------------------------------------------------------------------------

    /// @notice Takes the other side of a signed intent (§9.2), in part or whole, at its price or a better one for its
    ///         signer. The account or its operator; the signature is the signer's consent.
    /// @dev Reverts with NotOperator, InvalidFillAmount, WorsePrice, PriceTooFar, SelfFill, MakerCannotFill, OverClose,
    ///      AccountLocked, StalePrice, MarketClosed, SizeOverflow, EfficiencyTooLow, TooManyPending, InsufficientMargin,
    ///      InsufficientMaintenance, InsufficientCollateralization, or an error of the Verifier.
    /// @param intent What was signed
    /// @param signature By the intent's signer
    /// @param amount Size, with the intent's sign
    /// @param price Agreed price
    /// @param account Who takes the other side
    function fill(Intent calldata intent, bytes calldata signature, Fixed6 amount, Fixed6 price, address account)
        external;

    /// @notice Crosses two opposite signed intents at a price that both accept (§9.2). Anyone may call.
    /// @dev Reverts as `fill` does.
    /// @param a First intent
    /// @param signatureA By its signer
    /// @param b Second intent
    /// @param signatureB By its signer
    /// @param amount Size, with the first intent's sign
    /// @param price Agreed price
    function cross(
        Intent calldata a,
        bytes calldata signatureA,
        Intent calldata b,
        bytes calldata signatureB,
        Fixed6 amount,
        Fixed6 price
    ) external;

    /// @notice Makes many fills. The accounts or their operator.
    /// @dev Without `skip` reverts as `fill` does.
    /// @param fills Fills, in order
    /// @param skip Whether a bad one is skipped with a FillSkipped event, instead of undoing all
    function fillBatch(Fill[] calldata fills, bool skip) external;

    /// @notice Makes many crosses. Anyone may call.
    /// @dev Without `skip` reverts as `fill` does.
    /// @param crosses Crosses, in order
    /// @param skip Whether a bad one is skipped with a FillSkipped event, instead of undoing all
    function crossBatch(Cross[] calldata crosses, bool skip) external;

    // -- Claims ------------------------------------------------------------------------------------------------------

    /// @notice Pays out whatever fees the caller's roles give it (§8): protocol fee to the factory's owner, risk fee to
    ///         the coordinator, donation to the beneficiary, oracle fee to the OracleFactory.
    /// @dev Reverts with NotFeeRole, InsufficientTokens.
    /// @param receiver Who gets the tokens
    /// @return amount Paid, USD with 6 decimals
    function claimFee(address receiver) external returns (UFixed6 amount);

    /// @notice Pays out referral, solver and liquidation credits. The account or its operator.
    /// @dev Reverts with NotOperator, InsufficientTokens.
    /// @param account Whose credits
    /// @param receiver Who gets the tokens
    /// @return amount Paid, USD with 6 decimals
    function claim(address account, address receiver) external returns (UFixed6 amount);

    /// @notice Pays out accrued rewards, as far as the market has reward tokens; the rest stays owed (§7.4).
    ///         The account or its operator.
    /// @dev Reverts with NotOperator.
    /// @param account Whose rewards
    /// @param receiver Who gets the tokens
    /// @return amount Paid, reward tokens with 6 decimals
    function claimReward(address account, address receiver) external returns (UFixed6 amount);

    // -- Parameters and roles ----------------------------------------------------------------------------------------

    /// @notice Sets the definition and first parameters of a new market. The factory, once.
    /// @dev Reverts with NotFactory, AlreadyInitialized. The factory has validated everything.
    /// @param definition What the market is made of
    /// @param coordinator_ Who holds the risk parameters
    /// @param risk Risk parameters
    /// @param marketParameter Market parameters
    function initialize(
        MarketDefinition calldata definition,
        address coordinator_,
        RiskParameter calldata risk,
        MarketParameter calldata marketParameter
    ) external;

    /// @notice Sets the risk parameters (§4.1) after settling the market. Coordinator or owner.
    /// @dev Reverts with NotCoordinator or the factory's ParameterOutOfBounds.
    /// @param newRiskParameter New values
    function updateRiskParameter(RiskParameter calldata newRiskParameter) external;

    /// @notice Sets the market parameters (§4.2) after settling the market. Owner.
    /// @dev Reverts with NotOwner or the factory's ParameterOutOfBounds.
    /// @param newParameter New values
    function updateParameter(MarketParameter calldata newParameter) external;

    /// @notice Hands the market's coordination over. Coordinator or owner.
    /// @dev Reverts with NotCoordinator. Zero leaves the risk parameters to the owner.
    /// @param newCoordinator New coordinator
    function updateCoordinator(address newCoordinator) external;

    /// @notice Names the beneficiary. Owner.
    /// @dev Reverts with NotOwner, ZeroBeneficiary.
    /// @param newBeneficiary New beneficiary
    function updateBeneficiary(address newBeneficiary) external;

    /// @notice Sets the reward token, once. Owner.
    /// @dev Reverts with NotOwner, RewardAlreadySet, or the factory's UnsupportedDecimals or RewardIsToken.
    /// @param newReward ERC-20 of 6 to 18 decimals, not the settlement token
    function updateReward(address newReward) external;

    // -- Views: what the market is -----------------------------------------------------------------------------------

    /// @return ERC-20 that the market settles in
    function token() external view returns (address);

    /// @return ERC-20 that rewards are paid in, or zero
    function reward() external view returns (address);

    /// @return Price provider
    function oracle() external view returns (address);

    /// @return Payoff provider, or zero for the price itself
    function payoff() external view returns (address);

    /// @return Who holds the risk parameters
    function coordinator() external view returns (address);

    /// @return Who may claim the donation
    function beneficiary() external view returns (address);

    /// @return Factory that opened the market
    function factory() external view returns (address);

    /// @return Risk parameters in force
    function riskParameter() external view returns (RiskParameter memory);

    /// @return Market parameters in force
    function parameter() external view returns (MarketParameter memory);

    // -- Views: sizes and money, as of the last settlement -----------------------------------------------------------

    /// @return The market's settled sizes, with the version that they are of
    function position() external view returns (Position memory);

    /// @param account Whose account
    /// @return The account's settled size; `timestamp` is the market's settled version, or the account's oldest pending
    ///         version where the market has settled that one already and the account has not
    function positions(address account) external view returns (Position memory);

    /// @return The market's sizes with every pending order; `timestamp` is the newest pending version
    function pendingPosition() external view returns (Position memory);

    /// @param account Whose account
    /// @return The account's size with every pending order; `timestamp` is its newest pending version
    function pendingPositions(address account) external view returns (Position memory);

    /// @param account Whose account
    /// @return Collateral of the account; negative where it owes the market
    function collateral(address account) external view returns (Fixed6);

    /// @notice What the account has and needs (§10.1, §10.2).
    /// @param account Whose account
    /// @return effectiveCollateral Collateral less the fees of pending orders, plus pending price guarantees
    /// @return margin What its worst size needs after an increase or a withdrawal
    /// @return maintenance What its settled size needs not to be liquidated
    function requirement(address account)
        external
        view
        returns (Fixed6 effectiveCollateral, UFixed6 margin, UFixed6 maintenance);

    /// @param account Whose account
    /// @return Referral, solver and liquidation credits, USD with 6 decimals
    function claimable(address account) external view returns (UFixed6);

    /// @param account Whose account
    /// @return Accrued rewards, reward tokens with 6 decimals
    function rewards(address account) external view returns (UFixed6);

    /// @notice Fees to be claimed (§8).
    /// @return protocol By the factory's owner
    /// @return oracle By the OracleFactory, settlement fees included
    /// @return risk By the coordinator
    /// @return donation By the beneficiary
    function fees() external view returns (UFixed6 protocol, UFixed6 oracle, UFixed6 risk, UFixed6 donation);

    /// @param version Timestamp
    /// @return Settlement fees charged at a version once it is settled; 0 where it was invalid
    function settlementFees(uint256 version) external view returns (UFixed6);

    /// @return All settlement fees charged up to the last split of fees (every `claimFee` makes one): what part of the
    ///         oracle fee belongs to the keepers
    function settlementFeesTotal() external view returns (UFixed6);

    /// @return Rate of funding per year; positive: longs pay
    function fundingRate() external view returns (Fixed6);

    /// @return Latest valid price, payoff applied
    function price() external view returns (Fixed6);

    /// @return Sum of what accounts below zero owe the market (§10.6)
    function shortfall() external view returns (UFixed6);

    /// @param account Whose account
    /// @return Whether the account has a position or pending orders and less than its maintenance requirement
    function liquidatable(address account) external view returns (bool);

    /// @param account Whose account
    /// @return Whether a liquidation of the account waits for its version
    function locked(address account) external view returns (bool);

    /// @notice Where the market is settled to, and what a unit of each side has gained since it began: USD with 12
    ///         decimals.
    /// @return timestamp The version; 0 before the first
    /// @return valid Whether it had a price; else the last valid one carries over
    /// @return maker Of makers
    /// @return long Of longs
    /// @return short Of shorts
    function latestVersion()
        external
        view
        returns (uint256 timestamp, bool valid, int256 maker, int256 long, int256 short);

    /// @notice As latestVersion, of an earlier version at which orders or fills settled; zeros for any other.
    /// @param timestamp The version
    /// @return valid Whether orders settled at it; what was ordered at an invalid version was cancelled
    /// @return maker Of makers
    /// @return long Of longs
    /// @return short Of shorts
    function versions(uint256 timestamp) external view returns (bool valid, int256 maker, int256 long, int256 short);

    /// @return How many versions of the market wait for settlement
    function pendingCount() external view returns (uint256);

    /// @param account Whose account
    /// @return How many versions of the account wait for settlement
    function pendingCounts(address account) external view returns (uint256);
}
