// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a vault refuses, and with which numbers (token units; docs/protocol.md §12.2)
interface IVaultErrors {
    /// @notice The caller is neither the account nor its operator.
    error NotOperator(address account, address caller);

    /// @notice The caller is neither the coordinator nor, where that may, the factory's owner.
    error NotCoordinator(address caller);

    /// @notice The caller is not the factory.
    error NotFactory(address caller);

    /// @notice The code of epochs that a Vault is deployed with was made for another registry of markets.
    error ForeignCode(address code, address marketFactory);

    /// @notice The vault has been set up before.
    error AlreadyInitialized();

    /// @notice An address that must be set is zero.
    /// @param field Its name
    error ZeroAddress(string field);

    /// @notice A parameter is out of its bounds.
    /// @param field Its name
    /// @param value Value given
    /// @param bound The bound that it breaks
    error ParameterOutOfBounds(string field, uint256 value, uint256 bound);

    /// @notice The request is zero or less than the minimum.
    error DepositTooSmall(uint256 assets, uint256 minimum);

    /// @notice With this request the vault would hold more than its cap.
    error DepositCapExceeded(uint256 assets, uint256 cap);

    /// @notice No shares were handed in.
    error ZeroShares();

    /// @notice A loss beyond all assets has stopped deposits (§12.3).
    error VaultInsolvent();

    /// @notice The controller has a request in another unsettled epoch that takes the same place.
    error RequestPending(address controller, uint256 epoch);

    /// @notice The controller has no deposit in the epoch that is open for deposits.
    error NothingToRecall(address controller);

    /// @notice More than can be claimed.
    error ExceedsClaimable(uint256 amount, uint256 claimable);

    /// @notice Requests are priced later: there is nothing to preview (ERC-7540).
    error Asynchronous();

    /// @notice Nobody is an operator of its own.
    error SelfOperator();

    /// @notice The epoch before has not settled.
    error EpochPending(uint256 epoch);

    /// @notice The open epoch has no requests that could be closed.
    error NothingToClose();

    /// @notice No market is off its target by more than the tolerance, or none accepts an order: it may rest (§12.2).
    error NothingToRebalance();

    /// @notice The protocol is paused: no market would accept an order.
    error ProtocolPaused();

    /// @notice The call of a market failed for want of gas.
    error InsufficientGas();

    /// @notice The market is not one of the factory's.
    error UnknownMarket(address market);

    /// @notice The market settles in another token.
    error WrongToken(address market, address token);

    /// @notice The market is registered already.
    error AlreadyRegistered(address market);

    /// @notice The market is not registered.
    error NotRegistered(address market);

    /// @notice The vault has as many markets as it may.
    error TooManyMarkets(uint256 limit);

    /// @notice The market has a weight, a position, orders or a pocket.
    error MarketInUse(address market);

    /// @notice The stuck market has not returned anything yet.
    error PocketOpen(uint256 pocket);
}
