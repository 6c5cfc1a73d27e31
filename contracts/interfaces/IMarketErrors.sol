// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a market refuses, and with which numbers (docs/protocol.md)
/// @notice Amounts, sizes, prices and ratios have 6 decimals, versions are Unix seconds, counts are whole.
interface IMarketErrors {
    /// @notice The protocol is paused (§2).
    error MarketPaused();

    /// @notice The code that a Market is deployed with was made for another factory.
    error ForeignCode(address code, address factory);

    /// @notice A call came in while another one of the market was running.
    error Reentered();

    /// @notice The caller is neither the account nor its operator (§2).
    error NotOperator(address account, address caller);

    /// @notice The caller is neither the coordinator nor the owner (§2).
    error NotCoordinator(address caller);

    /// @notice The caller is not the factory's owner (§2).
    error NotOwner(address caller);

    /// @notice The caller is not the factory.
    error NotFactory(address caller);

    /// @notice The caller has no role that fees belong to (§8).
    error NotFeeRole(address caller);

    /// @notice The market has been set up before.
    error AlreadyInitialized();

    /// @notice An order changes maker and taker size at once (§5.2).
    error BothSides(int256 makerDelta, int256 takerDelta);

    /// @notice The account has a position, or orders, on another side (§5.2, §5.3). Sides: 1 maker, 2 long, 3 short.
    error WrongSide(uint256 side, uint256 wanted);

    /// @notice The order closes more than the settled size less the closes already pending (§5.3).
    error OverClose(uint256 size, uint256 closable);

    /// @notice The account's or the market's size would reach 2^63 with this open (§1.5).
    error SizeOverflow(uint256 opened);

    /// @notice Collateral, or pending settlement fees, would not fit their storage.
    error CollateralOverflow(uint256 amount);

    /// @notice A liquidation of the account waits for its version (§10.5).
    error AccountLocked(address account, uint256 version);

    /// @notice The latest version is missing, invalid or too old (§10.3).
    error StalePrice(uint256 latest, uint256 current);

    /// @notice The market is closed: positions may only shrink (§7.5).
    error MarketClosed();

    /// @notice The market or the account has as many unsettled versions as it may (§5.7).
    error TooManyPending(uint256 count, uint256 limit);

    /// @notice Makers may not increase: their size would not stay below the limit (§10.4).
    error MakerLimitExceeded(uint256 maker, uint256 limit);

    /// @notice Takers may not increase: makers are too few for the larger side (§10.4).
    error EfficiencyTooLow(uint256 maker, uint256 major, uint256 limit);

    /// @notice The close would leave more takers without cover (§10.4).
    error UncoveredClose(uint256 major, uint256 cover);

    /// @notice The account's orders at this version name another referrer already (§6.3).
    error ReferrerMismatch(address referrer, address given);

    /// @notice Effective collateral would not cover the margin requirement (§10.2).
    error InsufficientMargin(int256 effectiveCollateral, uint256 required);

    /// @notice Effective collateral would not cover the maintenance requirement (§10.2).
    error InsufficientMaintenance(int256 effectiveCollateral, uint256 required);

    /// @notice The withdrawal is more than the account has.
    error InsufficientCollateral(int256 collateral, uint256 amount);

    /// @notice The market does not hold enough tokens to pay this (§10.6); nothing has changed.
    error InsufficientTokens(uint256 balance, uint256 amount);

    /// @notice The account is healthy, or has neither position nor orders (§10.5).
    error NotLiquidatable(int256 effectiveCollateral, uint256 maintenance);

    /// @notice The reward token has been set before (§3.2).
    error RewardAlreadySet(address reward);

    /// @notice The beneficiary cannot be zero: the donation would be lost.
    error ZeroBeneficiary();

    /// @notice The oracle gave a version that time cannot have.
    error InvalidVersion(uint256 timestamp);

    // -- Intents (§9.5) ----------------------------------------------------------------------------------------------

    /// @notice A fill that takes the account through zero is pending: no orders until it settles (§5.3).
    error FillCrosses(address account);

    /// @notice The amount is zero or of another sign than the intent's.
    error InvalidFillAmount(int256 amount, int256 signed);

    /// @notice The price is worse than the signed one.
    error WorsePrice(int256 price, int256 signed);

    /// @notice The price is further from the latest one than `maxPriceDeviation`, a share of it.
    error PriceTooFar(int256 price, int256 latest, uint256 maxDeviation);

    /// @notice Both sides are one account.
    error SelfFill(address account);

    /// @notice The account is a maker, who can neither sign nor fill intents.
    error MakerCannotFill(address account);

    /// @notice Effective collateral would not cover the collateralization that the intent asks for.
    error InsufficientCollateralization(int256 effectiveCollateral, uint256 required);
}
