// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBeacon } from "@openzeppelin/contracts/proxy/beacon/IBeacon.sol";

import { MarketDefinition } from "../types/MarketDefinition.sol";
import { MarketParameter } from "../types/MarketParameter.sol";
import { OperatorUpdate } from "../types/OperatorUpdate.sol";
import { ProtocolParameter } from "../types/ProtocolParameter.sol";
import { RiskParameter } from "../types/RiskParameter.sol";
import { SignerUpdate } from "../types/SignerUpdate.sol";

/// @title MarketFactory: opens markets, bounds their parameters, keeps who may act for whom
/// @notice Anyone opens a market (docs/protocol.md §3.1). The factory is also the beacon of all markets (§3.4), holds the
///         protocol's parameters (§4.3), the approvals of operators and signers (§2) and the pause.
///         Its owner is meant to be a timelock.
interface IMarketFactory is IBeacon {
    // -- Events ------------------------------------------------------------------------------------------------------

    /// @notice A market was opened.
    /// @param market The market
    /// @param coordinator Who opened it and holds its risk parameters
    /// @param definition What it is made of
    event MarketCreated(address indexed market, address indexed coordinator, MarketDefinition definition);

    /// @notice The bounds of all markets changed.
    /// @param parameter New values
    event ProtocolParameterUpdated(ProtocolParameter parameter);

    /// @notice An account approved or dismissed an operator.
    /// @param account Whose account
    /// @param operator Who may act for it
    /// @param approved Whether it may from now on
    event OperatorUpdated(address indexed account, address indexed operator, bool approved);

    /// @notice An account approved or dismissed a signer of intents.
    /// @param account Whose account
    /// @param signer Who may sign for it
    /// @param approved Whether it may from now on
    event SignerUpdated(address indexed account, address indexed signer, bool approved);

    /// @notice The pauser changed.
    /// @param pauser New pauser
    event PauserUpdated(address indexed pauser);

    /// @notice Every call of users in all markets is refused from now on.
    event Paused();

    /// @notice Users may call again.
    event Unpaused();

    /// @notice All markets run another implementation from now on.
    /// @param implementation Code of the markets
    event Upgraded(address indexed implementation);

    // -- Errors ------------------------------------------------------------------------------------------------------

    /// @notice A parameter is out of its bounds (§4).
    /// @param field Name of the field
    /// @param value Value given, as it would be stored
    /// @param bound The bound that it breaks
    error ParameterOutOfBounds(string field, uint256 value, uint256 bound);

    /// @notice The protocol is paused.
    error FactoryPaused();

    /// @notice The caller is not the pauser.
    error NotPauser(address caller);

    /// @notice A token has fewer than 6 or more than 18 decimals, or does not say.
    error UnsupportedDecimals(address token, uint256 decimals);

    /// @notice The reward token is the settlement token.
    error RewardIsToken(address token);

    /// @notice The payoff does not come from the registered PayoffFactory.
    error UnknownPayoff(address payoff);

    /// @notice An address that must be set is zero.
    /// @param field Name of the field
    error ZeroAddress(string field);

    /// @notice The implementation has no code or belongs to another factory.
    error InvalidImplementation(address implementation);

    /// @notice The factory always has an owner: without, nobody could upgrade, claim the protocol's fee, or end a pause
    ///         that its pauser has left.
    error OwnerRequired();

    /// @notice A batch has not one signature for each message.
    error LengthMismatch(uint256 updates, uint256 signatures);

    // -- Markets -----------------------------------------------------------------------------------------------------

    /// @notice Opens a market; the caller becomes its coordinator (§3.1). Anyone may call.
    /// @dev Reverts with FactoryPaused, ZeroAddress, RewardIsToken, UnknownPayoff, ParameterOutOfBounds,
    ///      UnsupportedDecimals, or with the OracleFactory's error where the oracle is unknown, taken or somebody else's
    ///      (§3.2).
    /// @param definition What the market is made of
    /// @param risk Risk parameters (§4.1)
    /// @param parameter Market parameters (§4.2)
    /// @return market The new market
    function create(
        MarketDefinition calldata definition,
        RiskParameter calldata risk,
        MarketParameter calldata parameter
    ) external returns (address market);

    /// @return How many markets there are
    function marketCount() external view returns (uint256);

    /// @param index Zero-based, in order of creation
    /// @return The market; reverts beyond the last
    function markets(uint256 index) external view returns (address);

    /// @param market Any address
    /// @return Whether this factory opened the market
    function isMarket(address market) external view returns (bool);

    /// @notice Sets the code that all markets run (§3.4). Owner only; reverts with InvalidImplementation.
    /// @param newImplementation A Market made for this factory
    function upgradeTo(address newImplementation) external;

    // -- Parameters --------------------------------------------------------------------------------------------------

    /// @return The protocol's parameters
    function parameter() external view returns (ProtocolParameter memory);

    /// @notice Sets the protocol's parameters. Owner only; reverts with ParameterOutOfBounds.
    /// @dev Markets keep parameters that were in bounds before; a protocol fee applies from a market's next settlement on.
    /// @param newParameter New values
    function updateParameter(ProtocolParameter calldata newParameter) external;

    /// @notice Checks risk parameters against their bounds (§4.1) and reverts with ParameterOutOfBounds.
    /// @param risk Values to check
    function validateRiskParameter(RiskParameter calldata risk) external view;

    /// @notice Checks market parameters against their bounds (§4.2) and reverts with ParameterOutOfBounds.
    /// @param marketParameter Values to check
    /// @param hasReward Whether the market has a reward token; without, all reward rates must be 0
    function validateMarketParameter(MarketParameter calldata marketParameter, bool hasReward) external view;

    /// @notice Checks that a token is supported (§1.3) and reverts with UnsupportedDecimals.
    /// @param token An ERC-20
    /// @return scale 10^(decimals − 6): what one raw unit of 6 decimals is in the token
    function tokenScale(address token) external view returns (uint256 scale);

    /// @notice What a market reads at every call.
    /// @return protocolFee Share of the market's fees, 6 decimals
    /// @return isPaused Whether users' calls are refused
    function status() external view returns (uint256 protocolFee, bool isPaused);

    // -- Who may act -------------------------------------------------------------------------------------------------

    /// @notice Lets an operator act for the caller in every market, claims included, or stops it.
    /// @param operator Who
    /// @param approved Whether it may
    function updateOperator(address operator, bool approved) external;

    /// @notice Lets a signer sign intents for the caller, nothing else, or stops it.
    /// @param signer Who
    /// @param approved Whether it may
    function updateSigner(address signer, bool approved) external;

    /// @notice As updateOperator, for the account that signed the message (§9.6). Anyone may relay it.
    /// @dev Reverts with FactoryPaused or the Verifier's error; the message's domain is this contract, and the account
    ///      itself must have signed.
    /// @param update Who may act for whom
    /// @param signature Of the account, by key or ERC-1271
    function updateOperatorWithSignature(OperatorUpdate calldata update, bytes calldata signature) external;

    /// @notice As updateSigner, for the account that signed the message (§9.6). Anyone may relay it.
    /// @dev Reverts as updateOperatorWithSignature does.
    /// @param update Who may sign for whom
    /// @param signature Of the account, by key or ERC-1271
    function updateSignerWithSignature(SignerUpdate calldata update, bytes calldata signature) external;

    /// @notice updateOperatorWithSignature for several messages, of one account or many: all or none.
    /// @dev Reverts with LengthMismatch, and as updateOperatorWithSignature does.
    /// @param updates The messages
    /// @param signatures One for each
    function updateOperatorBatchWithSignatures(OperatorUpdate[] calldata updates, bytes[] calldata signatures) external;

    /// @notice updateSignerWithSignature for several messages, of one account or many: all or none.
    /// @dev Reverts with LengthMismatch, and as updateOperatorWithSignature does.
    /// @param updates The messages
    /// @param signatures One for each
    function updateSignerBatchWithSignatures(SignerUpdate[] calldata updates, bytes[] calldata signatures) external;

    /// @param account Whose account
    /// @param operator Any address
    /// @return Whether `operator` may act for `account`
    function operators(address account, address operator) external view returns (bool);

    /// @param account Whose account
    /// @param signer Any address
    /// @return Whether `signer` may sign intents for `account`
    function signers(address account, address signer) external view returns (bool);

    // -- Pause -------------------------------------------------------------------------------------------------------

    /// @notice Refuses every call of users in all markets; views and the owner's calls stay open. Pauser only;
    ///         reverts with NotPauser.
    function pause() external;

    /// @notice Ends the pause. Pauser, or the owner in case the pauser is lost; reverts with NotPauser.
    function unpause() external;

    /// @return Whether users' calls are refused
    function paused() external view returns (bool);

    /// @notice Names the pauser. Owner only.
    /// @param newPauser New pauser; zero for nobody
    function updatePauser(address newPauser) external;

    /// @return Who may pause
    function pauser() external view returns (address);

    // -- The rest of the protocol ------------------------------------------------------------------------------------

    /// @return Registry that oracles must come from
    function oracleFactory() external view returns (address);

    /// @return Registry that payoffs must come from
    function payoffFactory() external view returns (address);

    /// @return Contract that checks signatures of intents
    function verifier() external view returns (address);
}
