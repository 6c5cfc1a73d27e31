// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IPyth } from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import { PythStructs } from "@pythnetwork/pyth-sdk-solidity/PythStructs.sol";

import { IOracle } from "../interfaces/IOracle.sol";
import { Window } from "../interfaces/IOracleAdapter.sol";
import { IPythOracle } from "../interfaces/IPythOracle.sol";
import { OracleAdapter } from "./OracleAdapter.sol";
import { PriceMath, Quote } from "./PriceMath.sol";

/// @title PythOracle
/// @notice Prices from Pyth (docs/protocol.md §11.3).
/// @dev That an update was published in the window, and is the first one there, is proven by Pyth's `parsePriceFeedUpdatesUnique`.
///      ETH is here only during a call.
contract PythOracle is OracleAdapter, IPythOracle {
    using SafeCast for uint256;

    /// @dev 1 with 6 decimals.
    uint256 private constant ONE = 1e6;

    /// @inheritdoc IPythOracle
    IPyth public immutable pyth;

    /// @param pyth_ the chain's Pyth contract
    /// @param factory_ the OracleFactory
    /// @param owner_ who may change the windows
    /// @param window the windows to begin with
    constructor(IPyth pyth_, address factory_, address owner_, Window memory window)
        OracleAdapter(factory_, owner_, window)
    {
        pyth = pyth_;
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Keepers
    // ---------------------------------------------------------------------------------------------------------------

    /// @inheritdoc IPythOracle
    function commit(address[] calldata oracles, uint256 version, bytes[] calldata updateData) external payable {
        commitFor(msg.sender, oracles, version, updateData);
    }

    /// @inheritdoc IPythOracle
    function commitFor(address keeper, address[] calldata oracles, uint256 version, bytes[] calldata updateData)
        public
        payable
        nonReentrant
    {
        if (oracles.length == 1) _commitAlone(keeper, oracles[0], version, updateData);
        else _commitBatch(keeper, oracles, version, updateData);

        uint256 rest = address(this).balance;
        if (rest == 0) return;
        (bool sent,) = msg.sender.call{ value: rest }("");
        if (!sent) revert RefundFailed(rest);
    }

    /// @notice One oracle of a batch, with updates of its own; where it reverts, Pyth's fee is not spent.
    /// @dev This contract only.
    /// @param keeper as in `commitFor`
    /// @param oracle one of the batch
    /// @param version as in `commitFor`
    /// @param updateData as in `commitFor`
    function commitAlone(address keeper, address oracle, uint256 version, bytes[] calldata updateData)
        external
        onlySelf
    {
        _commitAlone(keeper, oracle, version, updateData);
    }

    /// @notice One oracle of a batch, with prices that were parsed for all of them.
    /// @dev This contract only.
    /// @param keeper as in `commitFor`
    /// @param oracle one of the batch
    /// @param version as in `commitFor`
    /// @param prices of the oracle's feeds and others
    function commitParsed(address keeper, address oracle, uint256 version, PythStructs.PriceFeed[] calldata prices)
        external
        onlySelf
    {
        (bytes32[] memory ids, uint256 inverses) = _servedFeeds(oracle);
        PythStructs.PriceFeed[] memory own = new PythStructs.PriceFeed[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            uint256 j;
            while (prices[j].id != ids[i]) ++j;
            own[i] = prices[j];
        }
        _commit(keeper, oracle, version, windowOf(version), own, inverses);
    }

    // ---------------------------------------------------------------------------------------------------------------
    // Inside
    // ---------------------------------------------------------------------------------------------------------------

    /// @dev All oracles from one parsing, for one fee. Where an update of one is missing or not the first, each by itself.
    function _commitBatch(address keeper, address[] calldata oracles, uint256 version, bytes[] calldata updateData)
        private
    {
        Batch memory batch = Batch(version, 0, "");
        (bool parsed, PythStructs.PriceFeed[] memory prices) = _tryParse(oracles, version, updateData);
        for (uint256 i; i < oracles.length; ++i) {
            if (parsed) {
                try this.commitParsed(keeper, oracles[i], version, prices) {
                    ++batch.done;
                } catch (bytes memory reason) {
                    _skip(batch, oracles[i], reason);
                }
            } else {
                try this.commitAlone(keeper, oracles[i], version, updateData) {
                    ++batch.done;
                } catch (bytes memory reason) {
                    _skip(batch, oracles[i], reason);
                }
            }
        }
        _finish(batch);
    }

    function _commitAlone(address keeper, address oracle, uint256 version, bytes[] calldata updateData) private {
        (bytes32[] memory ids, uint256 inverses) = _servedFeeds(oracle);
        Window memory window = windowOf(version);
        (uint64 from, uint64 to) = _bounds(version, window);
        PythStructs.PriceFeed[] memory prices =
            pyth.parsePriceFeedUpdatesUnique{ value: _fee(updateData) }(updateData, ids, from, to);
        _commit(keeper, oracle, version, window, prices, inverses);
    }

    /// @dev The prices of all feeds of all oracles, or that they cannot be had at once.
    function _tryParse(address[] calldata oracles, uint256 version, bytes[] calldata updateData)
        private
        returns (bool parsed, PythStructs.PriceFeed[] memory)
    {
        bytes32[] memory ids = _union(oracles);
        if (ids.length == 0) return (false, new PythStructs.PriceFeed[](0));
        (uint64 from, uint64 to) = _bounds(version, windowOf(version));
        try pyth.parsePriceFeedUpdatesUnique{ value: _fee(updateData) }(updateData, ids, from, to) returns (
            PythStructs.PriceFeed[] memory prices
        ) {
            return (true, prices);
        } catch {
            return (false, new PythStructs.PriceFeed[](0));
        }
    }

    /// @dev Every feed of the oracles, once.
    function _union(address[] calldata oracles) private view returns (bytes32[] memory ids) {
        ids = new bytes32[](oracles.length * MAX_FEEDS);
        uint256 count;
        for (uint256 i; i < oracles.length; ++i) {
            (bytes32[] memory own,) = _feedsOf(oracles[i]);
            for (uint256 j; j < own.length; ++j) {
                uint256 k;
                while (k < count && ids[k] != own[j]) ++k;
                ids[k] = own[j];
                if (k == count) ++count;
            }
        }
        // There is room for `count`, so the array only shrinks.
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    /// @dev Checks the prices of an oracle's feeds, in their order, and commits their product.
    function _commit(
        address keeper,
        address oracle,
        uint256 version,
        Window memory window,
        PythStructs.PriceFeed[] memory prices,
        uint256 inverses
    ) private {
        (uint256 after_, uint256 before) = _admit(oracle, version, window);
        uint256 newest;
        Quote[] memory quotes = new Quote[](prices.length);
        for (uint256 i; i < prices.length; ++i) {
            PythStructs.Price memory price = prices[i].price;
            _checkTime(prices[i].id, price.publishTime, after_, before);
            quotes[i] = _quote(prices[i].id, price, window.confidence);
            newest = Math.max(newest, price.publishTime);
        }
        IOracle(oracle).commit(version, PriceMath.product(quotes, inverses), newest, keeper);
    }

    function _checkTime(bytes32 id, uint256 published, uint256 after_, uint256 before) private view {
        if (published > block.timestamp) revert PriceInFuture(id, published);
        if (published <= after_) revert PriceNotNewer(id, published, after_);
        if (published >= before) revert PriceOfNextVersion(id, published, before);
    }

    function _quote(bytes32 id, PythStructs.Price memory price, uint256 limit) private pure returns (Quote memory) {
        if (price.price <= 0) revert PriceNotPositive(id, price.price);
        // casts: checked above
        uint256 mantissa = uint64(price.price);
        if (price.conf * ONE > limit * mantissa) revert PriceUncertain(id, price.conf, mantissa);
        return Quote(mantissa, price.expo);
    }

    function _bounds(uint256 version, Window memory window) private pure returns (uint64 from, uint64 to) {
        return ((version + window.validFrom).toUint64(), (version + window.validTo).toUint64());
    }

    /// @dev Pyth keeps what it is sent beyond its fee.
    function _fee(bytes[] calldata updateData) private view returns (uint256 fee) {
        fee = pyth.getUpdateFee(updateData);
        if (fee > address(this).balance) revert FeeNotCovered(address(this).balance, fee);
    }

    function _checkFeed(uint256 index, bytes32 id) internal pure override {
        if (id == 0) revert FeedIdInvalid(index, id);
    }

    /// @dev One update must never serve two versions: the next window opens after this one has closed.
    function _minimum(Window memory a, Window memory b) internal pure override returns (uint256) {
        uint256 closes = uint256(a.validTo) + 1;
        return closes > b.validFrom ? closes - b.validFrom : 1;
    }
}
