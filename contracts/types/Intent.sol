// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

struct Common {
    address account;
    address signer;
    address domain;
    uint256 nonce;
    uint256 group;
    uint256 expiry;
}

struct Intent {
    int256 amount;
    int256 price;
    uint256 fee;
    address originator;
    address solver;
    uint256 collateralization;
    Common common;
}
