// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { BeaconProxy } from "@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import { Verifier } from "./intents/Verifier.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { IMarketFactory } from "./interfaces/IMarketFactory.sol";
import { IOracleFactory } from "./interfaces/IOracleFactory.sol";
import { IPayoffFactory } from "./interfaces/IPayoffFactory.sol";
import { IVerifier } from "./interfaces/IVerifier.sol";
import { ParameterValidation } from "./market/ParameterValidation.sol";
import { UFixed6 } from "./math/UFixed6.sol";
import { MarketDefinition } from "./types/MarketDefinition.sol";
import { MarketParameter } from "./types/MarketParameter.sol";
import { OperatorUpdate } from "./types/OperatorUpdate.sol";
import { ProtocolParameter } from "./types/ProtocolParameter.sol";
import { RiskParameter } from "./types/RiskParameter.sol";
import { SignerUpdate } from "./types/SignerUpdate.sol";

/// @title MarketFactory
/// @notice See IMarketFactory.
contract MarketFactory is IMarketFactory, Ownable2Step {
    using ParameterValidation for ProtocolParameter;
    using ParameterValidation for RiskParameter;
    using ParameterValidation for MarketParameter;

    /// @inheritdoc IMarketFactory
    address public immutable oracleFactory;

    /// @inheritdoc IMarketFactory
    address public immutable payoffFactory;

    /// @inheritdoc IMarketFactory
    address public immutable verifier;

    /// @dev The beacon's implementation, and what markets read at every call: one slot, warm after the proxy's look-up.
    struct Beacon {
        address implementation;
        uint24 protocolFee;
        bool paused;
    }

    Beacon private beacon;

    /// @inheritdoc IMarketFactory
    address public pauser;

    /// @dev The protocol's parameters but for the protocol fee, which is in the beacon's slot: one slot.
    struct Bounds {
        uint24 maxFee;
        uint48 maxFeeAbsolute;
        uint24 maxCut;
        uint32 maxRate;
        uint24 minMaintenance;
        uint24 minEfficiency;
    }

    Bounds private bounds;

    /// @inheritdoc IMarketFactory
    address[] public markets;

    /// @inheritdoc IMarketFactory
    mapping(address market => bool) public isMarket;

    /// @inheritdoc IMarketFactory
    mapping(address account => mapping(address operator => bool)) public operators;

    /// @inheritdoc IMarketFactory
    mapping(address account => mapping(address signer => bool)) public signers;

    /// @param initialOwner Owner; a timelock on real networks
    /// @param oracleFactory_ Registry of oracles
    /// @param payoffFactory_ Registry of payoffs
    /// @param parameter_ The protocol's parameters
    constructor(
        address initialOwner,
        address oracleFactory_,
        address payoffFactory_,
        ProtocolParameter memory parameter_
    ) Ownable(initialOwner) {
        oracleFactory = oracleFactory_;
        payoffFactory = payoffFactory_;
        // Each needs the other's address; only the creator knows both in time.
        verifier = address(new Verifier(address(this)));
        setParameter(parameter_);
    }

    // -- Markets -----------------------------------------------------------------------------------------------------

    /// @inheritdoc IMarketFactory
    function create(
        MarketDefinition calldata definition,
        RiskParameter calldata risk,
        MarketParameter calldata marketParameter
    ) external returns (address market) {
        if (beacon.paused && msg.sender != owner()) revert FactoryPaused();
        check(definition);
        ProtocolParameter memory protocol = parameter();
        risk.check(protocol);
        marketParameter.check(protocol, definition.reward != address(0));

        market = address(new BeaconProxy(address(this), ""));
        IOracleFactory(oracleFactory).bind(definition.oracle, msg.sender, market);
        isMarket[market] = true;
        markets.push(market);
        emit MarketCreated(market, msg.sender, definition);
        IMarket(market).initialize(definition, msg.sender, risk, marketParameter);
    }

    /// @inheritdoc IMarketFactory
    function marketCount() external view returns (uint256) {
        return markets.length;
    }

    /// @notice Code that all markets run.
    function implementation() external view returns (address) {
        return beacon.implementation;
    }

    /// @inheritdoc IMarketFactory
    function upgradeTo(address newImplementation) external onlyOwner {
        if (newImplementation.code.length == 0 || IMarket(newImplementation).factory() != address(this)) {
            revert InvalidImplementation(newImplementation);
        }
        beacon.implementation = newImplementation;
        emit Upgraded(newImplementation);
    }

    /// @dev Ownable's way to have no owner is closed.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerRequired();
    }

    // -- Parameters --------------------------------------------------------------------------------------------------

    /// @inheritdoc IMarketFactory
    function parameter() public view returns (ProtocolParameter memory) {
        Bounds memory self = bounds;
        return ProtocolParameter({
            protocolFee: UFixed6.wrap(beacon.protocolFee),
            maxFee: UFixed6.wrap(self.maxFee),
            maxFeeAbsolute: UFixed6.wrap(self.maxFeeAbsolute),
            maxCut: UFixed6.wrap(self.maxCut),
            maxRate: UFixed6.wrap(self.maxRate),
            minMaintenance: UFixed6.wrap(self.minMaintenance),
            minEfficiency: UFixed6.wrap(self.minEfficiency)
        });
    }

    /// @inheritdoc IMarketFactory
    function updateParameter(ProtocolParameter calldata newParameter) external onlyOwner {
        setParameter(newParameter);
    }

    /// @inheritdoc IMarketFactory
    function validateRiskParameter(RiskParameter calldata risk) external view {
        risk.check(parameter());
    }

    /// @inheritdoc IMarketFactory
    function validateMarketParameter(MarketParameter calldata marketParameter, bool hasReward) external view {
        marketParameter.check(parameter(), hasReward);
    }

    /// @inheritdoc IMarketFactory
    function tokenScale(address token) public view returns (uint256 scale) {
        // Asked by hand: a token that does not say would else be refused without an error.
        (bool success, bytes memory data) = token.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        uint256 decimals = success && data.length >= 32 ? abi.decode(data, (uint256)) : 0;
        if (decimals < 6 || decimals > 18) revert UnsupportedDecimals(token, decimals);
        return 10 ** (decimals - 6);
    }

    /// @inheritdoc IMarketFactory
    function status() external view returns (uint256 protocolFee, bool isPaused) {
        Beacon memory self = beacon;
        return (self.protocolFee, self.paused);
    }

    // -- Who may act -------------------------------------------------------------------------------------------------

    /// @inheritdoc IMarketFactory
    function updateOperator(address operator, bool approved) external {
        setOperator(msg.sender, operator, approved);
    }

    /// @inheritdoc IMarketFactory
    function updateSigner(address signer, bool approved) external {
        setSigner(msg.sender, signer, approved);
    }

    /// @inheritdoc IMarketFactory
    function updateOperatorWithSignature(OperatorUpdate calldata update, bytes calldata signature)
        external
        whenNotPaused
    {
        applyOperator(update, signature);
    }

    /// @inheritdoc IMarketFactory
    function updateSignerWithSignature(SignerUpdate calldata update, bytes calldata signature) external whenNotPaused {
        applySigner(update, signature);
    }

    /// @inheritdoc IMarketFactory
    function updateOperatorBatchWithSignatures(OperatorUpdate[] calldata updates, bytes[] calldata signatures)
        external
        whenNotPaused
    {
        if (updates.length != signatures.length) revert LengthMismatch(updates.length, signatures.length);
        for (uint256 i = 0; i < updates.length; i++) {
            applyOperator(updates[i], signatures[i]);
        }
    }

    /// @inheritdoc IMarketFactory
    function updateSignerBatchWithSignatures(SignerUpdate[] calldata updates, bytes[] calldata signatures)
        external
        whenNotPaused
    {
        if (updates.length != signatures.length) revert LengthMismatch(updates.length, signatures.length);
        for (uint256 i = 0; i < updates.length; i++) {
            applySigner(updates[i], signatures[i]);
        }
    }

    // -- Pause -------------------------------------------------------------------------------------------------------

    /// @inheritdoc IMarketFactory
    function pause() external {
        if (msg.sender != pauser) revert NotPauser(msg.sender);
        beacon.paused = true;
        emit Paused();
    }

    /// @inheritdoc IMarketFactory
    function unpause() external {
        if (msg.sender != pauser && msg.sender != owner()) revert NotPauser(msg.sender);
        beacon.paused = false;
        emit Unpaused();
    }

    /// @inheritdoc IMarketFactory
    function paused() external view returns (bool) {
        return beacon.paused;
    }

    /// @inheritdoc IMarketFactory
    function updatePauser(address newPauser) external onlyOwner {
        pauser = newPauser;
        emit PauserUpdated(newPauser);
    }

    /// @dev Messages may be relayed by anyone, so the pause is asked here; what an account does itself with its approvals
    ///      it may do at any time.
    modifier whenNotPaused() {
        if (beacon.paused) revert FactoryPaused();
        _;
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    function applyOperator(OperatorUpdate calldata update, bytes calldata signature) private {
        IVerifier(verifier).consumeOperatorUpdate(update, signature);
        setOperator(update.common.account, update.operator, update.approved);
    }

    function applySigner(SignerUpdate calldata update, bytes calldata signature) private {
        IVerifier(verifier).consumeSignerUpdate(update, signature);
        setSigner(update.common.account, update.signer, update.approved);
    }

    function setOperator(address account, address operator, bool approved) private {
        operators[account][operator] = approved;
        emit OperatorUpdated(account, operator, approved);
    }

    function setSigner(address account, address signer, bool approved) private {
        signers[account][signer] = approved;
        emit SignerUpdated(account, signer, approved);
    }

    /// @dev What can be checked of a definition without the market (§3.2). Initialization checks the reward's decimals.
    function check(MarketDefinition calldata definition) private view {
        if (definition.beneficiary == address(0)) revert ZeroAddress("beneficiary");
        if (definition.reward == definition.token) revert RewardIsToken(definition.token);
        if (definition.payoff != address(0) && !IPayoffFactory(payoffFactory).isPayoff(definition.payoff)) {
            revert UnknownPayoff(definition.payoff);
        }
    }

    function setParameter(ProtocolParameter memory newParameter) private {
        newParameter.check();
        // casts: checked to fit
        beacon.protocolFee = uint24(newParameter.protocolFee.raw());
        bounds = Bounds({
            maxFee: uint24(newParameter.maxFee.raw()),
            maxFeeAbsolute: uint48(newParameter.maxFeeAbsolute.raw()),
            maxCut: uint24(newParameter.maxCut.raw()),
            maxRate: uint32(newParameter.maxRate.raw()),
            minMaintenance: uint24(newParameter.minMaintenance.raw()),
            minEfficiency: uint24(newParameter.minEfficiency.raw())
        });
        emit ProtocolParameterUpdated(newParameter);
    }
}
