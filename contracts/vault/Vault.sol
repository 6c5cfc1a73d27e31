// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IERC4626 } from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IERC7540Deposit, IERC7540Operator, IERC7540Redeem, IERC7575Share } from "../interfaces/IERC7540.sol";
import { IMarket } from "../interfaces/IMarket.sol";
import { IMarketFactory } from "../interfaces/IMarketFactory.sol";
import { Epochs, IVault, VaultBooks } from "../interfaces/IVault.sol";
import { Fixed6 } from "../math/Fixed6.sol";
import { Pocket } from "../types/Pocket.sol";
import { VaultMarket } from "../types/VaultMarket.sol";
import { VaultParameter } from "../types/VaultParameter.sol";
import { MarketReader } from "./MarketReader.sol";
import { VaultBase } from "./VaultBase.sol";
import { VaultRequests } from "./VaultRequests.sol";
import { Rate, VaultStorage, vaultStorage } from "./VaultStorage.sol";

/// @title Vault: what its coordinator does, and the views of the standards
/// @notice See IVault.
contract Vault is VaultRequests, ERC20Permit {
    using Address for address;
    using Math for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Closing and settling walk all markets.
    uint256 private constant MAX_MARKETS = 16;

    uint256 private constant MAX_LEVERAGE = 100e6;
    uint256 private constant MAX_PROFIT_SHARE = 0.5e6;
    uint256 private constant MIN_TOLERANCE = 0.01e6;
    uint256 private constant MAX_TOLERANCE = 0.5e6;

    /// @dev ERC-7575: the functions of ERC-4626, and `share`.
    bytes4 private constant ERC7575 = 0x2f0a18c5;

    modifier onlyCoordinator() {
        if (msg.sender != vaultStorage().coordinator) revert NotCoordinator(msg.sender);
        _;
    }

    /// @dev What an epoch was closed with is what it settles with. One that can settle does so first: else who settles and
    ///      closes the next one in one call could keep the coordinator out. (Who commits every version in that call too
    ///      still can, for as long as that is worth its gas.)
    modifier betweenEpochs() {
        settleFirst();
        _;
    }

    /// @inheritdoc IVault
    address public immutable factory;

    /// @notice Code that calls markets: epochs.
    address public immutable epochCode;

    /// @dev All vaults sign permits in the EIP-712 domain "Perennial Vault", version "1", with their own address: the name
    ///      of the shares is in storage, which OpenZeppelin's domain does not read.
    /// @param factory_ The VaultFactory whose beacon serves this code
    /// @param marketFactory_ Registry that markets come from
    /// @param epochCode_ A VaultEpochs made for the same registry
    constructor(address factory_, address marketFactory_, address epochCode_)
        VaultBase(marketFactory_)
        ERC20Permit("Perennial Vault")
    {
        address theirs = VaultBase(epochCode_).marketFactory();
        if (theirs != marketFactory_) revert ForeignCode(epochCode_, theirs);
        factory = factory_;
        epochCode = epochCode_;
    }

    // -- Epochs, in VaultEpochs --------------------------------------------------------------------------------------

    /// @inheritdoc IVault
    function closeEpoch() external {
        delegate();
    }

    /// @inheritdoc IVault
    function settle() external {
        delegate();
    }

    /// @inheritdoc IVault
    function rebalance() external {
        delegate();
    }

    // -- Coordinator -------------------------------------------------------------------------------------------------

    /// @inheritdoc IVault
    function initialize(
        address asset_,
        uint256 scale,
        string calldata name_,
        string calldata symbol_,
        address coordinator_,
        VaultParameter calldata parameter_
    ) external {
        if (msg.sender != factory) revert NotFactory(msg.sender);
        VaultStorage storage $ = vaultStorage();
        if ($.asset != address(0)) revert AlreadyInitialized();
        ($.asset, $.scale, $.name, $.symbol) = (asset_, scale.toUint64(), name_, symbol_);
        $.shareDecimals = IERC20Metadata(asset_).decimals() + 6;
        ($.epoch, $.depositEpoch, $.mark) = (1, 1, 1e18);
        $.coordinator = coordinator_;
        emit VaultCoordinatorUpdated(coordinator_);
        setParameter($, parameter_);
    }

    /// @inheritdoc IVault
    function register(address market, uint256 weight, uint256 leverage) external onlyCoordinator betweenEpochs {
        VaultStorage storage $ = vaultStorage();
        if (!IMarketFactory(marketFactory).isMarket(market)) revert UnknownMarket(market);
        address token = IMarket(market).token();
        if (token != $.asset) revert WrongToken(market, token);
        uint256 length = $.markets.length;
        if (indexOf($, market) != length) revert AlreadyRegistered(market);
        if (length == MAX_MARKETS) revert TooManyMarkets(MAX_MARKETS);
        $.markets.push().market = market;
        setMarket($, length, weight, leverage);
        IERC20(token).forceApprove(market, type(uint256).max);
    }

    /// @inheritdoc IVault
    function updateMarket(address market, uint256 weight, uint256 leverage) external onlyCoordinator {
        VaultStorage storage $ = vaultStorage();
        setMarket($, find($, market), weight, leverage);
    }

    /// @inheritdoc IVault
    function unregister(address market) external onlyCoordinator betweenEpochs nonReentrant {
        VaultStorage storage $ = vaultStorage();
        uint256 index = find($, market);
        VaultMarket memory config = $.markets[index];
        IMarket(market).settle(address(this));
        if (
            (config.weight | config.pocket) != 0 || IMarket(market).pendingCounts(address(this)) != 0
                || IMarket(market).positions(address(this)).maker.raw() != 0
        ) revert MarketInUse(market);
        uint256 left = MarketReader.collateralOf(IMarket(market));
        if (left != 0) {
            // casts: collateral is below 2^64
            Fixed6 change = Fixed6.wrap(-int256(left));
            try IMarket(market).update(address(this), Fixed6.wrap(0), Fixed6.wrap(0), change, address(0)) {
                $.idle += (left * $.scale).toUint128();
            } catch {
                revert MarketInUse(market);
            }
        }

        uint256 last = $.markets.length - 1;
        if (index != last) $.markets[index] = $.markets[last];
        $.markets.pop();
        IERC20($.asset).forceApprove(market, 0);
        emit MarketRemoved(market);
    }

    /// @inheritdoc IVault
    function updateParameter(VaultParameter calldata newParameter) external onlyCoordinator betweenEpochs {
        setParameter(vaultStorage(), newParameter);
    }

    /// @inheritdoc IVault
    function updateCoordinator(address newCoordinator) external {
        VaultStorage storage $ = vaultStorage();
        if (msg.sender != $.coordinator && msg.sender != Ownable(factory).owner()) revert NotCoordinator(msg.sender);
        if (newCoordinator == address(0)) revert ZeroAddress("coordinator");
        $.coordinator = newCoordinator;
        emit VaultCoordinatorUpdated(newCoordinator);
    }

    /// @inheritdoc IVault
    function claimReward(address market, address receiver) external nonReentrant onlyCoordinator returns (uint256) {
        find(vaultStorage(), market);
        return IMarket(market).claimReward(address(this), receiver).raw();
    }

    // -- The shares --------------------------------------------------------------------------------------------------

    /// @inheritdoc IERC20Metadata
    function name() public view override(ERC20, IERC20Metadata) returns (string memory) {
        return vaultStorage().name;
    }

    /// @inheritdoc IERC20Metadata
    function symbol() public view override(ERC20, IERC20Metadata) returns (string memory) {
        return vaultStorage().symbol;
    }

    /// @notice Decimals of the token and six more, so that no donation can make a share dear.
    function decimals() public view override(ERC20, IERC20Metadata) returns (uint8) {
        return vaultStorage().shareDecimals;
    }

    // -- ERC-4626, ERC-7575, ERC-165 ---------------------------------------------------------------------------------

    /// @inheritdoc IERC4626
    function asset() external view returns (address) {
        return vaultStorage().asset;
    }

    /// @inheritdoc IERC7575Share
    function share() external view returns (address) {
        return address(this);
    }

    /// @notice What the shares stand for, as of the last settlement of each market: without requests that wait, and
    ///         without what is set aside for claims.
    function totalAssets() public view returns (uint256) {
        VaultStorage storage $ = vaultStorage();
        uint256 total = $.idle;
        for (uint256 i = 0; i < $.markets.length; i++) {
            VaultMarket memory config = $.markets[i];
            total += live($, config, MarketReader.collateralOf(IMarket(config.market)));
        }
        return total.saturatingSub($.enteringNet);
    }

    /// @inheritdoc IERC4626
    function convertToShares(uint256 assets) external view returns (uint256) {
        return assets.mulDiv(totalSupply() + VIRTUAL, totalAssets() + 1);
    }

    /// @inheritdoc IERC4626
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return shares.mulDiv(totalAssets() + 1, totalSupply() + VIRTUAL);
    }

    /// @notice Reverts: requests are priced later (ERC-7540).
    function previewDeposit(uint256) external pure returns (uint256) {
        revert Asynchronous();
    }

    /// @notice Reverts: requests are priced later (ERC-7540).
    function previewMint(uint256) external pure returns (uint256) {
        revert Asynchronous();
    }

    /// @notice Reverts: requests are priced later (ERC-7540).
    function previewWithdraw(uint256) external pure returns (uint256) {
        revert Asynchronous();
    }

    /// @notice Reverts: requests are priced later (ERC-7540).
    function previewRedeem(uint256) external pure returns (uint256) {
        revert Asynchronous();
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == type(IERC7540Operator).interfaceId
            || id == type(IERC7540Deposit).interfaceId || id == type(IERC7540Redeem).interfaceId || id == ERC7575;
    }

    // -- Views -------------------------------------------------------------------------------------------------------

    /// @inheritdoc IVault
    function epochs() external view returns (Epochs memory) {
        VaultStorage storage $ = vaultStorage();
        return Epochs($.epoch, $.depositEpoch, $.pending, $.entering, $.closedAt, $.openPockets);
    }

    /// @inheritdoc IVault
    function books() external view returns (VaultBooks memory) {
        VaultStorage storage $ = vaultStorage();
        return VaultBooks(
            $.idle,
            $.reserved,
            $.openDeposits,
            $.openRedeems,
            $.enteringNet,
            $.pending == 0 ? 0 : $.pendingRedeems,
            $.lastAssets,
            $.mark,
            $.insolvent
        );
    }

    /// @inheritdoc IVault
    function parameter() external view returns (VaultParameter memory) {
        VaultStorage storage $ = vaultStorage();
        return VaultParameter($.minDeposit, $.depositCap, $.profitShare, $.tolerance);
    }

    /// @inheritdoc IVault
    function coordinator() external view returns (address) {
        return vaultStorage().coordinator;
    }

    /// @inheritdoc IVault
    function markets() external view returns (VaultMarket[] memory) {
        return vaultStorage().markets;
    }

    /// @inheritdoc IVault
    function pockets(uint256 id) external view returns (Pocket memory) {
        return vaultStorage().pockets[id];
    }

    /// @inheritdoc IVault
    function depositRate(uint256 epoch) external view returns (uint256, uint256) {
        Rate memory rate = vaultStorage().depositRates[epoch];
        return (rate.assets, rate.shares);
    }

    /// @inheritdoc IVault
    function redeemRate(uint256 epoch) external view returns (uint256, uint256, uint256) {
        Rate memory rate = vaultStorage().redeemRates[epoch];
        return (rate.shares, rate.assets, vaultStorage().shortages[epoch].unfilled);
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev Settles the pending epoch in VaultEpochs, if it can be; reverts if it cannot.
    function settleFirst() private {
        VaultStorage storage $ = vaultStorage();
        if ($.pending == 0) return;
        epochCode.functionDelegateCall(abi.encodeCall(IVault.settle, ()));
        if ($.pending != 0) revert EpochPending($.pending);
    }

    function setParameter(VaultStorage storage $, VaultParameter calldata values) private {
        check("minDeposit", values.minDeposit, type(uint96).max);
        check("depositCap", values.depositCap, type(uint96).max);
        check("profitShare", values.profitShare, MAX_PROFIT_SHARE);
        check("tolerance", values.tolerance, MAX_TOLERANCE);
        if (values.tolerance < MIN_TOLERANCE) {
            revert ParameterOutOfBounds("tolerance", values.tolerance, MIN_TOLERANCE);
        }
        // casts: checked to fit
        $.minDeposit = uint96(values.minDeposit);
        $.depositCap = uint96(values.depositCap);
        $.profitShare = uint24(values.profitShare);
        $.tolerance = uint24(values.tolerance);
        emit VaultParameterUpdated(values);
    }

    function setMarket(VaultStorage storage $, uint256 index, uint256 weight, uint256 leverage) private {
        check("weight", weight, type(uint32).max);
        check("leverage", leverage, MAX_LEVERAGE);
        if (leverage == 0) revert ParameterOutOfBounds("leverage", leverage, 1);
        VaultMarket storage self = $.markets[index];
        // What the pending epoch was closed with is what it settles with: else its redemptions might not be paid.
        if ($.pending != 0 && self.leverageBefore == 0) self.leverageBefore = self.leverage;
        // casts: checked to fit
        (self.weight, self.leverage) = (uint32(weight), uint32(leverage));
        emit MarketUpdated(self.market, weight, leverage);
    }

    function check(string memory field, uint256 value, uint256 bound) private pure {
        if (value > bound) revert ParameterOutOfBounds(field, value, bound);
    }

    /// @dev Index of a registered market.
    function find(VaultStorage storage $, address market) private view returns (uint256 index) {
        index = indexOf($, market);
        if (index == $.markets.length) revert NotRegistered(market);
    }

    /// @dev Index of a market; their number where it is not registered.
    function indexOf(VaultStorage storage $, address market) private view returns (uint256 index) {
        uint256 length = $.markets.length;
        while (index < length && $.markets[index].market != market) ++index;
    }

    /// @dev Runs the call in VaultEpochs, over this vault's storage.
    function delegate() private {
        address target = epochCode;
        assembly ("memory-safe") {
            // Nothing is left to do here afterwards: all memory is free to use.
            let pointer := mload(0x40)
            calldatacopy(pointer, 0, calldatasize())
            let success := delegatecall(gas(), target, pointer, calldatasize(), 0, 0)
            returndatacopy(pointer, 0, returndatasize())
            if success { return(pointer, returndatasize()) }
            revert(pointer, returndatasize())
        }
    }
}
