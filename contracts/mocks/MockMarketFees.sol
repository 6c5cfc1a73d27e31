// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { IOracle } from "../interfaces/IOracle.sol";
import { IOracleFactory } from "../interfaces/IOracleFactory.sol";
import { MockToken } from "./MockToken.sol";

/// @title MockMarketFees
/// @notice The part of a market that asks for prices and pays for them, for tests of oracles: it charges what a test says. Also stands for
///         the MarketFactory, since it binds itself.
contract MockMarketFees {
    using SafeERC20 for IERC20;

    /// @notice What the market is settled in.
    MockToken public immutable token;

    /// @notice Where its prices come from.
    address public oracle;

    /// @notice Settlement fees of settled versions, 6 decimals.
    mapping(uint256 version => uint256) public settlementFees;

    /// @notice Settlement fees up to the last split, 6 decimals.
    uint256 public settlementFeesTotal;

    uint256 private _unsplit;
    uint256 private _other;
    uint256 private _withheld;

    /// @param token_ 6 to 18 decimals
    constructor(MockToken token_) {
        token = token_;
    }

    /// @notice Binds `oracle_` to this market, as the MarketFactory would for `creator`.
    /// @param factory the OracleFactory, which knows this contract as the MarketFactory
    /// @param oracle_ the oracle
    /// @param creator who creates the market
    function take(IOracleFactory factory, address oracle_, address creator) external {
        factory.bind(oracle_, creator, address(this));
        oracle = oracle_;
    }

    /// @notice Binds `oracle_` to another market.
    /// @param factory the OracleFactory, which knows this contract as the MarketFactory
    /// @param oracle_ the oracle
    /// @param creator who creates the market
    /// @param market the other market
    function takeFor(IOracleFactory factory, address oracle_, address creator, MockMarketFees market) external {
        factory.bind(oracle_, creator, address(market));
        market.pretend(oracle_);
    }

    /// @notice Claims to be the market of an oracle.
    /// @param oracle_ the oracle
    function pretend(address oracle_) external {
        oracle = oracle_;
    }

    /// @notice Places an order: requests the current version `times` times.
    /// @param times how many orders
    function order(uint256 times) external {
        for (uint256 i; i < times; ++i) {
            IOracle(oracle).request(msg.sender);
        }
    }

    /// @notice Settles a version that charged settlement fees.
    /// @param version its timestamp
    /// @param fee their sum, 6 decimals
    function charge(uint256 version, uint256 fee) external {
        settlementFees[version] += fee;
        _unsplit += fee;
        token.mint(address(this), fee * 10 ** (token.decimals() - 6));
    }

    /// @notice Charges other oracle fees.
    /// @param fee 6 decimals
    function chargeOther(uint256 fee) external {
        _other += fee;
        token.mint(address(this), fee * 10 ** (token.decimals() - 6));
    }

    /// @notice Makes the next `claimFee` pay less than it should.
    /// @param amount 6 decimals
    function withhold(uint256 amount) external {
        _withheld = amount;
    }

    /// @notice Pays the oracle fee to anyone who asks; splits first.
    /// @param receiver who receives
    /// @return amount 6 decimals
    function claimFee(address receiver) external returns (uint256 amount) {
        amount = _unsplit + _other - _withheld;
        settlementFeesTotal += _unsplit;
        (_unsplit, _other, _withheld) = (0, 0, 0);
        IERC20(token).safeTransfer(receiver, amount * 10 ** (token.decimals() - 6));
    }
}
