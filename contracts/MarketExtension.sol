// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { IMarketErrors } from "./interfaces/IMarketErrors.sol";
import { IMarketEvents } from "./interfaces/IMarketEvents.sol";
import { IMarketFactory } from "./interfaces/IMarketFactory.sol";
import { ClaimableFees, Fees } from "./market/Fees.sol";
import { MarketBase } from "./market/MarketBase.sol";
import { MarketStorage, marketStorage } from "./market/MarketStorage.sol";
import { MarketViews } from "./market/MarketViews.sol";
import { Parameters } from "./market/Parameters.sol";
import { Rewards } from "./market/Rewards.sol";
import { UFixed6 } from "./math/UFixed6.sol";
import { MarketDefinition } from "./types/MarketDefinition.sol";
import { MarketParameter } from "./types/MarketParameter.sol";
import { Pricing, PricingStorage } from "./types/Pricing.sol";
import { RiskParameter } from "./types/RiskParameter.sol";

/// @title MarketExtension: claims, parameters and views of a market, reached through Market's fallback
/// @notice See IMarket. It has no storage of its own.
contract MarketExtension is MarketBase, MarketViews {
    using SafeERC20 for IERC20;

    /// @param factory_ The MarketFactory whose beacon serves this code
    constructor(address factory_) MarketBase(factory_) { }

    // -- Claims ------------------------------------------------------------------------------------------------------

    /// @notice See IMarket.claimFee.
    function claimFee(address receiver) external nonReentrant returns (UFixed6 amount) {
        MarketStorage storage $ = marketStorage();
        bool owner = checkPause();
        splitFees($);

        ClaimableFees memory fees = Fees.load($.claimableFees);
        uint256 sum;
        bool entitled;
        if (owner) (entitled, sum, fees.protocol) = (true, fees.protocol, 0);
        if (msg.sender == $.coordinator) (entitled, sum, fees.risk) = (true, sum + fees.risk, 0);
        if (msg.sender == $.beneficiary) (entitled, sum, fees.donation) = (true, sum + fees.donation, 0);
        if (msg.sender == IMarketFactory(factory).oracleFactory()) {
            (entitled, sum, fees.oracle) = (true, sum + fees.oracle, 0);
        }
        if (!entitled) revert IMarketErrors.NotFeeRole(msg.sender);

        $.claimableFees = Fees.store(fees);
        if (sum != 0) pay($, receiver, sum);
        emit IMarketEvents.FeeClaimed(msg.sender, receiver, sum);
        return UFixed6.wrap(sum);
    }

    /// @notice See IMarket.claim.
    function claim(address account, address receiver) external nonReentrant returns (UFixed6) {
        MarketStorage storage $ = marketStorage();
        checkPause();
        checkOperator(account);

        uint256 amount = $.accounts[account].claimable;
        $.accounts[account].claimable = 0;
        if (amount != 0) pay($, receiver, amount);
        emit IMarketEvents.Claimed(account, receiver, amount);
        return UFixed6.wrap(amount);
    }

    /// @notice See IMarket.claimReward.
    function claimReward(address account, address receiver) external nonReentrant returns (UFixed6) {
        MarketStorage storage $ = marketStorage();
        checkPause();
        checkOperator(account);

        (IERC20 token, uint256 scale) = tokenOf($.reward);
        if (address(token) == address(0)) return UFixed6.wrap(0);
        // | accumulator 85 | accrued 171 |: what the market lacks stays accrued.
        uint256 word = $.accounts[account].rewards;
        uint256 amount = Math.min(word >> Rewards.BITS, token.balanceOf(address(this)) / scale);
        $.accounts[account].rewards = word - (amount << Rewards.BITS);
        if (amount != 0) token.safeTransfer(receiver, amount * scale);
        emit IMarketEvents.RewardClaimed(account, receiver, amount);
        return UFixed6.wrap(amount);
    }

    // -- Parameters and roles ----------------------------------------------------------------------------------------

    /// @notice See IMarket.initialize.
    function initialize(
        MarketDefinition calldata definition,
        address coordinator_,
        RiskParameter calldata risk,
        MarketParameter calldata marketParameter
    ) external {
        if (msg.sender != factory) revert IMarketErrors.NotFactory(msg.sender);
        MarketStorage storage $ = marketStorage();
        if ($.config.oracle() != address(0)) revert IMarketErrors.AlreadyInitialized();

        $.token = tokenWord(definition.token);
        if (definition.payoff != address(0)) $.payoff = definition.payoff;
        if (definition.reward != address(0)) $.reward = tokenWord(definition.reward);
        $.coordinator = coordinator_;
        $.beneficiary = definition.beneficiary;
        Parameters.store($, definition.oracle, definition.payoff != address(0), risk, marketParameter);
        emit IMarketEvents.RiskParameterUpdated(0, risk);
        emit IMarketEvents.ParameterUpdated(0, marketParameter);
    }

    /// @notice See IMarket.updateRiskParameter.
    function updateRiskParameter(RiskParameter calldata newRiskParameter) external nonReentrant {
        MarketStorage storage $ = marketStorage();
        checkCoordinator($);
        sync($, type(uint256).max);
        IMarketFactory(factory).validateRiskParameter(newRiskParameter);

        Parameters.storeRisk($, newRiskParameter, Parameters.loadMarket($));
        emit IMarketEvents.RiskParameterUpdated(settledVersion($), newRiskParameter);
    }

    /// @notice See IMarket.updateParameter.
    function updateParameter(MarketParameter calldata newParameter) external nonReentrant {
        MarketStorage storage $ = marketStorage();
        checkOwner();
        sync($, type(uint256).max);
        IMarketFactory(factory).validateMarketParameter(newParameter, $.reward != 0);

        splitFees($);
        Parameters.storeMarket($, newParameter, Parameters.loadRisk($));
        emit IMarketEvents.ParameterUpdated(settledVersion($), newParameter);
    }

    /// @notice See IMarket.updateCoordinator.
    function updateCoordinator(address newCoordinator) external {
        MarketStorage storage $ = marketStorage();
        checkPause();
        checkCoordinator($);
        $.coordinator = newCoordinator;
        emit IMarketEvents.CoordinatorUpdated(newCoordinator);
    }

    /// @notice See IMarket.updateBeneficiary.
    function updateBeneficiary(address newBeneficiary) external {
        checkOwner();
        if (newBeneficiary == address(0)) revert IMarketErrors.ZeroBeneficiary();
        marketStorage().beneficiary = newBeneficiary;
        emit IMarketEvents.BeneficiaryUpdated(newBeneficiary);
    }

    /// @notice See IMarket.updateReward.
    function updateReward(address newReward) external {
        MarketStorage storage $ = marketStorage();
        checkOwner();
        (IERC20 old,) = tokenOf($.reward);
        if (address(old) != address(0)) revert IMarketErrors.RewardAlreadySet(address(old));
        (IERC20 token_,) = tokenOf($.token);
        if (newReward == address(token_)) revert IMarketFactory.RewardIsToken(newReward);
        $.reward = tokenWord(newReward);
        emit IMarketEvents.RewardUpdated(newReward);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @return owner Whether the caller is the owner, whom the pause does not stop
    function checkPause() private view returns (bool owner) {
        owner = isOwner();
        (, bool paused) = IMarketFactory(factory).status();
        if (paused && !owner) revert IMarketErrors.MarketPaused();
    }

    function checkOwner() private view {
        if (!isOwner()) revert IMarketErrors.NotOwner(msg.sender);
    }

    function checkCoordinator(MarketStorage storage $) private view {
        if (msg.sender != $.coordinator && !isOwner()) revert IMarketErrors.NotCoordinator(msg.sender);
    }

    /// @dev A token with its scale in one slot; the factory refuses decimals that are not supported.
    function tokenWord(address token_) private view returns (uint256) {
        return uint256(uint160(token_)) | IMarketFactory(factory).tokenScale(token_) << 160;
    }

    function splitFees(MarketStorage storage $) private {
        Pricing memory pricing = PricingStorage.load($.pricing);
        Fees.split($, pricing, $.fees);
        $.pricing = PricingStorage.store(pricing);
    }
}
