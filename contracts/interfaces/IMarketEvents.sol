// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketParameter } from "../types/MarketParameter.sol";
import { RiskParameter } from "../types/RiskParameter.sol";

/// @title What a market tells indexers: enough to rebuild its state (amounts with 6 decimals unless stated)
interface IMarketEvents {
    /// @notice An order was placed (§5.2). Sizes and fee settle at `version`.
    /// @param account Whose order
    /// @param version Timestamp at which it settles
    /// @param side 1 maker, 2 long, 3 short
    /// @param opened Size that it opens, this order alone
    /// @param closed Size that it closes, this order alone
    /// @param rate Fee rate of all the account's orders at the version so far, 12 decimals (§6.2)
    /// @param settlementFee What it adds in settlement fees
    /// @param referrer Who is named for the referral share, or zero
    event OrderPlaced(
        address indexed account,
        uint256 indexed version,
        uint256 side,
        uint256 opened,
        uint256 closed,
        uint256 rate,
        uint256 settlementFee,
        address referrer
    );

    /// @notice An account's orders at a version came to nothing, because the version was invalid (§5.5).
    /// @param account Whose orders
    /// @param version Version that they were placed at
    event OrderCancelled(address indexed account, uint256 indexed version);

    /// @notice The market was brought to a version (§5.6).
    /// @param version Timestamp
    /// @param price Price of the version, payoff applied; the last valid one where `valid` is false
    /// @param valid Whether the version has a price
    /// @param maker Accumulator of makers, USD per unit with 12 decimals
    /// @param long Accumulator of longs, USD per unit with 12 decimals
    /// @param short Accumulator of shorts, USD per unit with 12 decimals
    /// @param fundingRate Rate after it, 12 decimals
    /// @param fee What the market's fees grew by
    /// @param settlementFee Settlement fees charged at the version
    event MarketSettled(
        uint256 indexed version,
        int256 price,
        bool valid,
        int256 maker,
        int256 long,
        int256 short,
        int256 fundingRate,
        uint256 fee,
        uint256 settlementFee
    );

    /// @notice An account was brought to a version: that of an order of its, or the latest. A liquidation fee that it paid
    ///         is in the Credited event before this one.
    /// @param account Whose account
    /// @param version Timestamp
    /// @param accrued PnL, funding, interest, makers' fees and price guarantees since its last settlement
    /// @param fee Position fee charged
    /// @param settlementFee Settlement fee charged
    /// @param collateral Collateral afterwards
    /// @param size Size afterwards
    event AccountSettled(
        address indexed account,
        uint256 indexed version,
        int256 accrued,
        uint256 fee,
        uint256 settlementFee,
        int256 collateral,
        uint256 size
    );

    /// @notice Two accounts exchanged size at an agreed price (§9). The Verifier's IntentConsumed names the intent, Credited
    ///         what originators and solvers earned.
    /// @param account Who signed the (first) intent; it bought where `amount` is positive
    /// @param counterparty Who took the other side, or signed the second intent
    /// @param version Timestamp at which the sizes change
    /// @param amount Size, positive where `account` bought
    /// @param price Agreed price
    /// @param fee What joins the position fees of the version
    event IntentFilled(
        address indexed account,
        address indexed counterparty,
        uint256 indexed version,
        int256 amount,
        int256 price,
        uint256 fee
    );

    /// @notice An item of a batch was skipped; nothing of it was done.
    /// @param index Its place in the batch
    /// @param reason Error that it reverted with, encoded
    event FillSkipped(uint256 indexed index, bytes reason);

    /// @notice An unhealthy account was liquidated and is locked until `version` (§10.5).
    /// @param account Whose account
    /// @param liquidator Who called and earns the fee
    /// @param version Version at which the close settles
    /// @param closed Size that the liquidation closes; 0 where all was closing already
    /// @param fee Liquidation fee
    event Liquidated(address indexed account, address indexed liquidator, uint256 version, uint256 closed, uint256 fee);

    /// @notice Collateral came in.
    /// @param account Whose account
    /// @param sender Who paid
    /// @param amount USD
    event Deposited(address indexed account, address indexed sender, uint256 amount);

    /// @notice Collateral went out.
    /// @param account Whose account
    /// @param receiver Who got it
    /// @param amount USD
    event Withdrawn(address indexed account, address indexed receiver, uint256 amount);

    /// @notice An account was credited (§6.3, §10.5).
    /// @param account Who may claim
    /// @param source Whose order it came from
    /// @param amount USD
    /// @param fromDonation Part of it that the donation paid
    event Credited(address indexed account, address indexed source, uint256 amount, uint256 fromDonation);

    /// @notice Fees were paid out to a role (§8).
    /// @param caller Who has the role, or several
    /// @param receiver Who got the tokens
    /// @param amount USD
    event FeeClaimed(address indexed caller, address indexed receiver, uint256 amount);

    /// @notice Credits were paid out.
    /// @param account Whose credits
    /// @param receiver Who got the tokens
    /// @param amount USD
    event Claimed(address indexed account, address indexed receiver, uint256 amount);

    /// @notice Rewards were paid out.
    /// @param account Whose rewards
    /// @param receiver Who got the tokens
    /// @param amount Reward tokens with 6 decimals
    event RewardClaimed(address indexed account, address indexed receiver, uint256 amount);

    /// @notice Risk parameters changed (§4.4).
    /// @param version The settled version, from which on they apply; 0 before the first
    /// @param parameter New values
    event RiskParameterUpdated(uint256 indexed version, RiskParameter parameter);

    /// @notice Market parameters changed (§4.4).
    /// @param version The settled version, from which on they apply; 0 before the first
    /// @param parameter New values
    event ParameterUpdated(uint256 indexed version, MarketParameter parameter);

    /// @notice The coordinator changed.
    /// @param coordinator New coordinator; zero leaves the risk parameters to the owner
    event CoordinatorUpdated(address indexed coordinator);

    /// @notice The beneficiary changed.
    /// @param beneficiary New beneficiary
    event BeneficiaryUpdated(address indexed beneficiary);

    /// @notice The reward token was set.
    /// @param reward ERC-20 that rewards are paid in
    event RewardUpdated(address indexed reward);
}
