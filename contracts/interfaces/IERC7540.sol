// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Operators of ERC-7540
interface IERC7540Operator {
    /// @notice A controller approved or dismissed an operator.
    /// @param controller Whose requests
    /// @param operator Who may manage them
    /// @param approved Whether it may from now on
    event OperatorSet(address indexed controller, address indexed operator, bool approved);

    /// @notice Lets an operator request and claim for the caller, or stops it.
    /// @param operator Who
    /// @param approved Whether it may
    /// @return true
    function setOperator(address operator, bool approved) external returns (bool);

    /// @return Whether `operator` may act for `controller`
    function isOperator(address controller, address operator) external view returns (bool);
}

/// @title Asynchronous deposits of ERC-7540
interface IERC7540Deposit {
    /// @notice Assets were handed in.
    /// @param controller Who may claim the shares
    /// @param owner Whose assets
    /// @param requestId Epoch
    /// @param sender Who called
    /// @param assets Token units
    event DepositRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 assets
    );

    /// @notice Hands assets in, to become shares at the price of the epoch that is open for deposits.
    /// @param assets Token units, taken from `owner`
    /// @param controller Who may claim the shares
    /// @param owner The caller, or who made the caller its operator
    /// @return requestId The epoch
    function requestDeposit(uint256 assets, address controller, address owner) external returns (uint256 requestId);

    /// @return Assets of a controller that wait in an epoch
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256);

    /// @return Assets of an epoch whose shares can be claimed; id 0: of all epochs. The first claim puts all epochs together
    ///         under id 0, as does a later request that takes an epoch's place
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256);

    /// @notice Claims shares for assets that were handed in.
    /// @param assets Part of what is claimable
    /// @param receiver Who gets the shares
    /// @param controller Whose request; the caller or who made it its operator
    /// @return shares What was handed out
    function deposit(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    /// @notice As deposit, for a number of shares.
    /// @param shares Part of what is claimable
    /// @param receiver Who gets the shares
    /// @param controller Whose request; the caller or who made it its operator
    /// @return assets What they stand for
    function mint(uint256 shares, address receiver, address controller) external returns (uint256 assets);
}

/// @title Asynchronous redemptions of ERC-7540
interface IERC7540Redeem {
    /// @notice Shares were handed in.
    /// @param controller Who may claim the assets
    /// @param owner Whose shares
    /// @param requestId Epoch
    /// @param sender Who called
    /// @param shares Shares
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );

    /// @notice Hands shares in, to become assets at the price of the open epoch.
    /// @param shares Taken from `owner`
    /// @param controller Who may claim the assets
    /// @param owner The caller, who made the caller its operator, or who gave it an allowance
    /// @return requestId The epoch
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    /// @return Shares of a controller that wait in an epoch
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256);

    /// @return Shares of an epoch whose assets can be claimed; id 0: of all epochs. As claimableDepositRequest
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256);
}

/// @title The share token of an ERC-7575 vault
interface IERC7575Share {
    /// @return The token of the shares: the vault itself
    function share() external view returns (address);
}
