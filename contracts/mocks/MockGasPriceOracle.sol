// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MockGasPriceOracle
/// @notice The predeploy of OP-stack rollups that says what posting a transaction to the base chain costs, without compression: so much
///         for each byte. Each of its functions can be made to revert, as those that a network upgrade retires. Without a constructor,
///         so that its code can be put at the predeploy's address.
contract MockGasPriceOracle {
    uint256 private constant BYTES_OF_SIGNATURE = 68;

    /// @notice Wei for a byte of data.
    uint256 public price;

    /// @notice Wei for a unit of the rollup's gas, to its operator.
    uint256 public operatorPrice;

    /// @notice How many of the functions below, in their order, revert.
    uint256 public retired;

    uint256 private _l1BaseFee;

    /// @notice A network upgrade has retired this function.
    error Deprecated();

    modifier unless(uint256 count) {
        if (retired > count) revert Deprecated();
        _;
    }

    /// @notice Sets what the functions answer.
    /// @param price_ wei for a byte
    /// @param operatorPrice_ wei for a unit of gas
    /// @param l1BaseFee_ wei
    /// @param retired_ how many revert
    function set(uint256 price_, uint256 operatorPrice_, uint256 l1BaseFee_, uint256 retired_) external {
        (price, operatorPrice, _l1BaseFee, retired) = (price_, operatorPrice_, l1BaseFee_, retired_);
    }

    /// @notice What posting a transaction costs.
    /// @param data the transaction, unsigned
    /// @return wei
    function getL1Fee(bytes calldata data) external view unless(0) returns (uint256) {
        return (data.length + BYTES_OF_SIGNATURE) * price;
    }

    /// @notice What posting a transaction of a size costs at most.
    /// @param size bytes, unsigned
    /// @return wei
    function getL1FeeUpperBound(uint256 size) external view unless(1) returns (uint256) {
        uint256 signed = size + BYTES_OF_SIGNATURE;
        return (signed + signed / 255 + 16) * price;
    }

    /// @notice The base chain's base fee.
    /// @return wei for a unit of gas
    function l1BaseFee() external view unless(2) returns (uint256) {
        return _l1BaseFee;
    }

    /// @notice What the rollup's operator takes.
    /// @param gas that a transaction uses
    /// @return wei
    function getOperatorFee(uint256 gas) external view unless(3) returns (uint256) {
        return gas * operatorPrice;
    }
}
