// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IMarketFees } from "../interfaces/IMarketFees.sol";
import { IOracle } from "../interfaces/IOracle.sol";
import { Feed, IOracleAdapter } from "../interfaces/IOracleAdapter.sol";
import { IOracleFactory } from "../interfaces/IOracleFactory.sol";
import { Oracle } from "./Oracle.sol";

/// @title OracleFactory
/// @notice Makes oracles, binds each to its one market, and pays keepers (docs/protocol.md §8, §11).
contract OracleFactory is IOracleFactory, Ownable2Step, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Seconds between the versions of a new oracle.
    uint256 private constant GRANULARITY = 10;

    enum Status {
        Unknown,
        Free,
        Taken
    }

    /// @dev One slot an oracle. The market takes its creator's place, so that binding creates no slot.
    struct Record {
        address holder; // creator while free (zero where registered), market once taken
        Status status;
        bool own; // made here, not registered
    }

    /// @dev One slot a market: oracle fees that are here and not paid on, 6 decimals.
    struct Balance {
        uint80 keepers; // of keepers
        uint80 owner; // of the owner
        uint96 total; // settlement fees that have arrived since the market began, as the market counts them
    }

    /// @inheritdoc IOracleFactory
    address public marketFactory;

    /// @inheritdoc IOracleFactory
    mapping(address adapter => bool) public isAdapter;

    mapping(address oracle => Record) private _records;
    mapping(address market => Balance) private _balances;

    /// @param owner_ who administers oracles and earns the oracle fee
    constructor(address owner_) Ownable(owner_) { }

    // ---------------------------------------------------------------------------------------------------------------
    // Oracles and their markets
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleFactory
    function create(address adapter, Feed[] calldata feeds) external returns (address oracle) {
        if (!isAdapter[adapter]) revert AdapterUnknown(adapter);
        oracle = address(new Oracle(msg.sender, adapter, GRANULARITY));
        _records[oracle] = Record(msg.sender, Status.Free, true);
        IOracleAdapter(adapter).enlist(oracle, feeds, GRANULARITY);
        emit OracleCreated(oracle, msg.sender, adapter, feeds);
    }

    /// @inheritdoc IOracleFactory
    function register(address oracle) external onlyOwner {
        _checkContract(oracle);
        if (_records[oracle].status != Status.Unknown) revert OracleKnown(oracle);
        _records[oracle] = Record(address(0), Status.Free, false);
        emit OracleRegistered(oracle);
    }

    /// @inheritdoc IOracleFactory
    function bind(address oracle, address creator, address market) external {
        if (msg.sender != marketFactory) revert NotMarketFactory(msg.sender);
        Record memory record = _records[oracle];
        if (record.status == Status.Unknown) revert OracleUnknown(oracle);
        if (record.status == Status.Taken) revert OracleTaken(oracle, record.holder);
        if (record.own && record.holder != creator) revert OracleOfAnother(oracle, record.holder, creator);

        _records[oracle] = Record(market, Status.Taken, record.own);
        if (record.own) IOracle(oracle).bind(market);
        emit OracleBound(oracle, market);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Fees
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleFactory
    function claim(address market, uint256[] calldata versions, address receiver)
        external
        nonReentrant
        returns (uint256 amount)
    {
        (address oracle, bool own) = _oracleOf(market);
        if (!own) return 0;
        for (uint256 i; i < versions.length; ++i) {
            uint256 fee = IMarketFees(market).settlementFees(versions[i]);
            // A version without fees may still get them when the market settles it: it must not count as paid.
            if (fee != 0 && IOracle(oracle).collect(versions[i], msg.sender)) amount += fee;
        }
        if (amount == 0) return 0;

        Balance memory balance = _balances[market];
        // Another keeper's claim may have brought these fees here already.
        if (balance.keepers < amount) _pull(market, own, balance);
        if (balance.keepers < amount) revert MarketBooksWrong(market, balance.keepers, amount);
        balance.keepers -= amount.toUint80();
        _balances[market] = balance;
        _pay(market, receiver, amount);
        emit KeeperPaid(market, msg.sender, receiver, amount);
    }

    /// @inheritdoc IOracleFactory
    function claimOracleFee(address market, address receiver) external onlyOwner nonReentrant returns (uint256 amount) {
        (, bool own) = _oracleOf(market);
        Balance memory balance = _balances[market];
        _pull(market, own, balance);
        amount = balance.owner;
        balance.owner = 0;
        _balances[market] = balance;
        _pay(market, receiver, amount);
        emit OracleFeePaid(market, receiver, amount);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // The owner
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleFactory
    function updateMarketFactory(address marketFactory_) external onlyOwner {
        if (marketFactory != address(0)) revert MarketFactorySet(marketFactory);
        _checkContract(marketFactory_);
        marketFactory = marketFactory_;
        emit MarketFactoryUpdated(marketFactory_);
    }

    /// @inheritdoc IOracleFactory
    function updateAdapter(address adapter, bool admitted) external onlyOwner {
        _checkContract(adapter);
        isAdapter[adapter] = admitted;
        emit AdapterUpdated(adapter, admitted);
    }

    /// @inheritdoc IOracleFactory
    function updateProvider(address oracle, address adapter, Feed[] calldata feeds) external onlyOwner {
        _checkOwn(oracle);
        if (!isAdapter[adapter]) revert AdapterUnknown(adapter);
        uint256 boundary = IOracle(oracle).replaceAdapter(adapter);
        IOracleAdapter(adapter).enlist(oracle, feeds, IOracle(oracle).granularity());
        emit ProviderUpdated(oracle, adapter, feeds, boundary);
    }

    /// @inheritdoc IOracleFactory
    function updateGranularity(address oracle, uint256 granularity) external onlyOwner {
        _checkOwn(oracle);
        uint256 from = IOracle(oracle).updateGranularity(granularity);
        IOracleAdapter(IOracle(oracle).adapter()).admitGranularity(granularity);
        emit GranularityUpdated(oracle, granularity, from);
    }

    /// @dev Ownable's way to have no owner is closed.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerRequired();
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IOracleFactory
    function marketOf(address oracle) external view returns (address) {
        Record memory record = _records[oracle];
        return record.status == Status.Taken ? record.holder : address(0);
    }

    /// @inheritdoc IOracleFactory
    function creatorOf(address oracle) external view returns (address) {
        Record memory record = _records[oracle];
        return record.status == Status.Free ? record.holder : address(0);
    }

    /// @inheritdoc IOracleFactory
    function balances(address market) external view returns (uint256 keepers, uint256 owner_) {
        return (_balances[market].keepers, _balances[market].owner);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Inside
    // ---------------------------------------------------------------------------------------------------------------

    /// @dev The oracle of a genuine market, and whether it was made here.
    function _oracleOf(address market) private view returns (address oracle, bool own) {
        oracle = IMarketFees(market).oracle();
        Record memory record = _records[oracle];
        if (record.status != Status.Taken || record.holder != market) revert MarketUnknown(market);
        own = record.own;
    }

    /// @dev Fetches the market's oracle fees and tells the keepers' from the owner's. Counts the tokens that arrive, not what the market
    ///      says: several markets share this contract's balance, and each may spend its own part only.
    function _pull(address market, bool own, Balance memory balance) private {
        IERC20 token = IERC20(IMarketFees(market).token());
        uint256 before = token.balanceOf(address(this));
        IMarketFees(market).claimFee(address(this));
        uint256 received = (token.balanceOf(address(this)) - before) / _scale(token);

        uint256 settlement;
        if (own) {
            uint256 total = IMarketFees(market).settlementFeesTotal();
            settlement = total - balance.total;
            balance.total = total.toUint96();
        }
        if (received < settlement) revert MarketBooksWrong(market, received, settlement);
        balance.keepers += settlement.toUint80();
        balance.owner += (received - settlement).toUint80();
    }

    /// @dev Sends an amount of 6 decimals.
    function _pay(address market, address receiver, uint256 amount) private {
        IERC20 token = IERC20(IMarketFees(market).token());
        token.safeTransfer(receiver, amount * _scale(token));
    }

    /// @dev Smallest units of the token in a micro-dollar: a market's token has 6 to 18 decimals.
    function _scale(IERC20 token) private view returns (uint256) {
        return 10 ** (IERC20Metadata(address(token)).decimals() - 6);
    }

    function _checkOwn(address oracle) private view {
        if (!_records[oracle].own) revert OracleNotOwn(oracle);
    }

    function _checkContract(address account) private view {
        if (account.code.length == 0) revert NotContract(account);
    }
}
