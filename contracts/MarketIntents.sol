// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import { IMarketErrors } from "./interfaces/IMarketErrors.sol";
import { IMarketEvents } from "./interfaces/IMarketEvents.sol";
import { IMarketFactory } from "./interfaces/IMarketFactory.sol";
import { IVerifier } from "./interfaces/IVerifier.sol";
import { Accounts } from "./market/Accounts.sol";
import { MarketBase } from "./market/MarketBase.sol";
import { MarketStorage, marketStorage } from "./market/MarketStorage.sol";
import { Matching, Party } from "./market/Matching.sol";
import { PriceFeed } from "./market/Prices.sol";
import { Cross } from "./types/Cross.sol";
import { Fill } from "./types/Fill.sol";
import { Intent } from "./types/Intent.sol";

/// @title MarketIntents: fills and crosses of signed intents, reached through Market's fallback
/// @notice See IMarket. It has no storage of its own.
contract MarketIntents is MarketBase {
    /// @dev This code's own address: a batch calls it for each of its items, so that a bad one can be undone alone.
    address private immutable self = address(this);

    /// @dev The factory's, which never changes.
    address private immutable verifier;

    /// @param factory_ The MarketFactory whose beacon serves this code
    constructor(address factory_) MarketBase(factory_) {
        verifier = IMarketFactory(factory_).verifier();
    }

    /// @notice See IMarket.fill.
    function fill(Intent calldata intent, bytes calldata signature, int256 amount, int256 price, address account)
        external
        nonReentrant
    {
        settleFill(intent, signature, amount, price, account);
    }

    /// @notice See IMarket.cross.
    function cross(
        Intent calldata a,
        bytes calldata signatureA,
        Intent calldata b,
        bytes calldata signatureB,
        int256 amount,
        int256 price
    ) external nonReentrant {
        settleCross(a, signatureA, b, signatureB, amount, price);
    }

    /// @notice See IMarket.fillBatch.
    function fillBatch(Fill[] calldata fills, bool skip) external nonReentrant {
        sync(marketStorage(), type(uint256).max);
        for (uint256 i = 0; i < fills.length; ++i) {
            run(i, abi.encodeCall(this.fillOne, (fills[i])), skip);
        }
    }

    /// @notice See IMarket.crossBatch.
    function crossBatch(Cross[] calldata crosses, bool skip) external nonReentrant {
        sync(marketStorage(), type(uint256).max);
        for (uint256 i = 0; i < crosses.length; ++i) {
            run(i, abi.encodeCall(this.crossOne, (crosses[i])), skip);
        }
    }

    // -- Items of a batch: Market routes nobody here, only `run` calls them ------------------------------------------

    /// @notice One item of `fillBatch`.
    function fillOne(Fill calldata item) external {
        settleFill(item.intent, item.signature, item.amount, item.price, item.account);
    }

    /// @notice One item of `crossBatch`.
    function crossOne(Cross calldata item) external {
        settleCross(item.a, item.signatureA, item.b, item.signatureB, item.amount, item.price);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev Runs an item over this market's storage, for this caller: all that it did is undone if it fails.
    function run(uint256 index, bytes memory item, bool skip) private {
        (bool success, bytes memory reason) = self.delegatecall(item);
        if (success) return;
        if (skip) {
            emit IMarketEvents.FillSkipped(index, reason);
            return;
        }
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function settleFill(Intent calldata intent, bytes calldata signature, int256 amount, int256 price, address account)
        private
    {
        checkOperator(account);
        checkSides(intent.common.account, account);
        MarketStorage storage $ = marketStorage();
        PriceFeed memory feed = sync($, type(uint256).max);
        Party memory signer;
        sign($, feed, signer, intent, signature, amount, price);
        Party memory filler;
        filler.account = account;
        filler.before = Accounts.settle($, feed, $.accounts[account], account, filler.state);
        Matching.exchange($, feed, signer, filler, amount, price);
    }

    function settleCross(
        Intent calldata a,
        bytes calldata signatureA,
        Intent calldata b,
        bytes calldata signatureB,
        int256 amount,
        int256 price
    ) private {
        checkSides(a.common.account, b.common.account);
        MarketStorage storage $ = marketStorage();
        PriceFeed memory feed = sync($, type(uint256).max);
        Party memory first;
        sign($, feed, first, a, signatureA, amount, price);
        // -2^255 is its own opposite: then both intents sell, and no side takes a size like that (SizeOverflow).
        int256 opposite;
        unchecked {
            opposite = -amount;
        }
        Party memory second;
        sign($, feed, second, b, signatureB, opposite, price);
        Matching.exchange($, feed, first, second, amount, price);
    }

    /// @dev Each side is settled in memory of its own: two copies of one account would not add up.
    function checkSides(address a, address b) private pure {
        if (a == b) revert IMarketErrors.SelfFill(a);
    }

    /// @dev Checks an intent's terms and signature, and uses `amount` of it up; settles its account as `party`.
    function sign(
        MarketStorage storage $,
        PriceFeed memory feed,
        Party memory party,
        Intent calldata intent,
        bytes calldata signature,
        int256 amount,
        int256 price
    ) private {
        if (amount == 0 || (amount > 0) != (intent.amount > 0)) {
            revert IMarketErrors.InvalidFillAmount(amount, intent.amount);
        }
        if (amount > 0 ? price > intent.price : price < intent.price) {
            revert IMarketErrors.WorsePrice(price, intent.price);
        }
        IVerifier(verifier).consume(intent, signature, SignedMath.abs(amount));

        party.account = intent.common.account;
        party.signed = true;
        party.originator = intent.originator;
        party.solver = intent.solver;
        party.solverShare = intent.fee;
        party.collateralization = intent.collateralization;
        party.before = Accounts.settle($, feed, $.accounts[party.account], party.account, party.state);
    }
}
