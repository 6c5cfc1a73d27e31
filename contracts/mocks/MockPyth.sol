// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MockPyth as SdkMockPyth } from "@pythnetwork/pyth-sdk-solidity/MockPyth.sol";
import { PythStructs } from "@pythnetwork/pyth-sdk-solidity/PythStructs.sol";

/// @title MockPyth
/// @notice The official SDK's mock of Pyth, with one repair: its `parsePriceFeedUpdatesUnique` does not check that an update is the first in
///         the window, which the real contract does. Signed updates are plain data here: `createPriceFeedUpdateData`.
contract MockPyth {
    /// @notice The SDK's mock, which does the work.
    SdkMockPyth public immutable sdk;

    /// @param validTimePeriod seconds for which the mock takes a price as fresh
    /// @param singleUpdateFee in wei, for each update
    constructor(uint256 validTimePeriod, uint256 singleUpdateFee) {
        sdk = new SdkMockPyth(validTimePeriod, singleUpdateFee);
    }

    /// @notice As IPyth's: the first update of each feed in a window.
    /// @param updateData the updates
    /// @param priceIds the feeds
    /// @param minPublishTime first second of the window
    /// @param maxPublishTime last second of the window
    /// @return the prices in the order of the feeds
    function parsePriceFeedUpdatesUnique(
        bytes[] calldata updateData,
        bytes32[] calldata priceIds,
        uint64 minPublishTime,
        uint64 maxPublishTime
    ) external payable returns (PythStructs.PriceFeed[] memory) {
        (PythStructs.PriceFeed[] memory prices,) = sdk.parsePriceFeedUpdatesWithConfig{ value: msg.value }(
            updateData, priceIds, minPublishTime, maxPublishTime, true, true, false
        );
        return prices;
    }

    /// @notice As IPyth's: keeps the updates that are newer than what is kept.
    /// @param updateData the updates
    function updatePriceFeeds(bytes[] calldata updateData) external payable {
        sdk.updatePriceFeeds{ value: msg.value }(updateData);
    }

    /// @notice As IPyth's: what `updateData` costs.
    /// @param updateData the updates
    /// @return in wei
    function getUpdateFee(bytes[] calldata updateData) external view returns (uint256) {
        return sdk.getUpdateFee(updateData);
    }

    /// @notice An update as this mock takes it.
    /// @param id the feed
    /// @param price times 10^expo
    /// @param conf half the confidence interval, times 10^expo
    /// @param expo exponent
    /// @param publishTime Unix seconds
    /// @param prevPublishTime of the update before, Unix seconds
    /// @return the update
    function createPriceFeedUpdateData(
        bytes32 id,
        int64 price,
        uint64 conf,
        int32 expo,
        uint64 publishTime,
        uint64 prevPublishTime
    ) external view returns (bytes memory) {
        return sdk.createPriceFeedUpdateData(id, price, conf, expo, price, conf, publishTime, prevPublishTime);
    }
}
