// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC4626 } from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IERC7540Deposit, IERC7540Operator, IERC7540Redeem } from "../interfaces/IERC7540.sol";
import { IVault } from "../interfaces/IVault.sol";
import { Pocket } from "../types/Pocket.sol";
import { VaultBase } from "./VaultBase.sol";
import { Claim, Ledger, Rate, Request, Shortage, VaultStorage, vaultStorage } from "./VaultStorage.sol";

/// @title Requests of a vault, and claims of what became of them (docs/protocol.md §12.2, ERC-7540)
/// @dev All requests of an epoch share its totals in proportion, rounded down: the sum of users never exceeds them.
abstract contract VaultRequests is VaultBase, IVault {
    using Math for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    // -- Operators ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IERC7540Operator
    function setOperator(address operator, bool approved) external returns (bool) {
        if (operator == msg.sender) revert SelfOperator();
        vaultStorage().operators[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    /// @inheritdoc IERC7540Operator
    function isOperator(address controller, address operator) external view returns (bool) {
        return vaultStorage().operators[controller][operator];
    }

    // -- Requests ----------------------------------------------------------------------------------------------------

    /// @inheritdoc IERC7540Deposit
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        VaultStorage storage $ = vaultStorage();
        checkOperator($, owner);
        if (controller == address(0)) revert ZeroAddress("controller");
        if (assets == 0 || assets < $.minDeposit) revert DepositTooSmall(assets, $.minDeposit);
        if ($.insolvent) revert VaultInsolvent();
        uint256 open = $.openDeposits + assets;
        if ($.lastAssets + open > $.depositCap) revert DepositCapExceeded($.lastAssets + open, $.depositCap);

        requestId = $.depositEpoch;
        Ledger storage ledger = $.deposits[controller];
        Request memory older = ledger.slots[requestId & 1];
        if (occupied(older, requestId)) {
            if ($.depositRates[older.epoch].assets == 0) revert RequestPending(controller, older.epoch);
            ledger.claim = addDeposit($, ledger.claim, older);
        }
        join(ledger, older, requestId, assets);
        $.openDeposits = open.toUint128();
        emit DepositRequest(controller, owner, requestId, msg.sender, assets);
        IERC20($.asset).safeTransferFrom(owner, address(this), assets);
    }

    /// @inheritdoc IERC7540Redeem
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        VaultStorage storage $ = vaultStorage();
        if (owner != msg.sender && !$.operators[owner][msg.sender]) _spendAllowance(owner, msg.sender, shares);
        if (controller == address(0)) revert ZeroAddress("controller");
        if (shares == 0) revert ZeroShares();

        requestId = $.epoch;
        Ledger storage ledger = $.redeems[controller];
        Request memory older = ledger.slots[requestId & 1];
        // What the slot may hold is two epochs old, and settled: an epoch closes only then.
        if (occupied(older, requestId)) ledger.claim = collectRedeem($, ledger.claim, older, controller);
        join(ledger, older, requestId, shares);
        $.openRedeems = (shares + $.openRedeems).toUint128();
        _transfer(owner, address(this), shares);
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
    }

    /// @inheritdoc IVault
    function recallDeposit(address controller, address receiver) external nonReentrant returns (uint256 assets) {
        VaultStorage storage $ = vaultStorage();
        checkOperator($, controller);
        uint256 epoch = $.depositEpoch;
        Request memory slot = $.deposits[controller].slots[epoch & 1];
        assets = slot.amount;
        if (slot.epoch != epoch || assets == 0) revert NothingToRecall(controller);
        delete $.deposits[controller].slots[epoch & 1];
        $.openDeposits -= slot.amount;
        emit DepositRecalled(controller, receiver, epoch, assets);
        IERC20($.asset).safeTransfer(receiver, assets);
    }

    // -- Claims ------------------------------------------------------------------------------------------------------

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        return deposit(assets, receiver, msg.sender);
    }

    /// @inheritdoc IERC7540Deposit
    function deposit(uint256 assets, address receiver, address controller)
        public
        nonReentrant
        returns (uint256 shares)
    {
        Claim memory claim = collectDeposits(controller);
        shares = part(assets, claim.assets, claim.shares, Math.Rounding.Floor);
        payShares(claim, assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver) external returns (uint256 assets) {
        return mint(shares, receiver, msg.sender);
    }

    /// @inheritdoc IERC7540Deposit
    function mint(uint256 shares, address receiver, address controller) public nonReentrant returns (uint256 assets) {
        Claim memory claim = collectDeposits(controller);
        assets = part(shares, claim.shares, claim.assets, Math.Rounding.Ceil);
        payShares(claim, assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address controller)
        external
        nonReentrant
        returns (uint256 shares)
    {
        Claim memory claim = collectRedeems(controller);
        shares = part(assets, claim.assets, claim.shares, Math.Rounding.Ceil);
        payAssets(claim, assets, shares, receiver, controller);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address controller)
        external
        nonReentrant
        returns (uint256 assets)
    {
        Claim memory claim = collectRedeems(controller);
        assets = part(shares, claim.shares, claim.assets, Math.Rounding.Floor);
        payAssets(claim, assets, shares, receiver, controller);
    }

    /// @inheritdoc IVault
    function claimReturned(uint256 pocket, address controller, address receiver)
        external
        nonReentrant
        returns (uint256 assets)
    {
        VaultStorage storage $ = vaultStorage();
        checkOperator($, controller);
        Pocket memory self = $.pockets[pocket];
        if (!self.resolved) revert PocketOpen(pocket);
        $.redeems[controller].claim = collectRedeems(controller);
        uint256 units = $.pocketUnits[pocket][controller];
        if (units == 0) return 0;
        assets = units.mulDiv(self.payout, self.redeemed);
        $.pocketUnits[pocket][controller] = 0;
        $.reserved -= assets.toUint128();
        emit Returned(pocket, controller, receiver, assets);
        IERC20($.asset).safeTransfer(receiver, assets);
    }

    // -- Views of requests -------------------------------------------------------------------------------------------

    /// @inheritdoc IERC7540Deposit
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256) {
        VaultStorage storage $ = vaultStorage();
        Request memory slot = $.deposits[controller].slots[requestId & 1];
        return slot.epoch == requestId && $.depositRates[requestId].assets == 0 ? slot.amount : 0;
    }

    /// @inheritdoc IERC7540Deposit
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256) {
        if (requestId == 0) return maxDeposit(controller);
        VaultStorage storage $ = vaultStorage();
        Request memory slot = $.deposits[controller].slots[requestId & 1];
        return slot.epoch == requestId && $.depositRates[requestId].assets != 0 ? slot.amount : 0;
    }

    /// @inheritdoc IERC7540Redeem
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        VaultStorage storage $ = vaultStorage();
        Request memory slot = $.redeems[controller].slots[requestId & 1];
        return slot.epoch == requestId && $.redeemRates[requestId].shares == 0 ? slot.amount : 0;
    }

    /// @inheritdoc IERC7540Redeem
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        if (requestId == 0) return maxRedeem(controller);
        VaultStorage storage $ = vaultStorage();
        Request memory slot = $.redeems[controller].slots[requestId & 1];
        if (slot.epoch != requestId || $.redeemRates[requestId].shares == 0) return 0;
        (Claim memory claim,) = addRedeem($, Claim(0, 0), slot);
        return claim.shares;
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address controller) public view returns (uint256) {
        return settledDeposits(vaultStorage(), controller).assets;
    }

    /// @inheritdoc IERC4626
    function maxMint(address controller) external view returns (uint256) {
        return settledDeposits(vaultStorage(), controller).shares;
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address controller) external view returns (uint256) {
        return settledRedeems(vaultStorage(), controller).assets;
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address controller) public view returns (uint256) {
        return settledRedeems(vaultStorage(), controller).shares;
    }

    /// @inheritdoc IVault
    function pocketUnits(uint256 id, address controller) external view returns (uint256 units) {
        VaultStorage storage $ = vaultStorage();
        units = $.pocketUnits[id][controller];
        for (uint256 i = 0; i < 2; i++) {
            Request memory slot = $.redeems[controller].slots[i];
            if (slot.amount == 0) continue;
            Shortage storage shortage = $.shortages[slot.epoch];
            for (uint256 j = 0; j < shortage.pockets.length; j++) {
                if (shortage.pockets[j] == id) units += filledUnits($, slot, shortage.unfilled);
            }
        }
    }

    // -- Steps -------------------------------------------------------------------------------------------------------

    /// @dev The account itself, or an operator that it approved.
    function checkOperator(VaultStorage storage $, address account) internal view {
        if (account != msg.sender && !$.operators[account][msg.sender]) revert NotOperator(account, msg.sender);
    }

    /// @dev Whether a slot holds a request of another epoch.
    function occupied(Request memory slot, uint256 epoch) private pure returns (bool) {
        return slot.amount != 0 && slot.epoch != epoch;
    }

    /// @dev Puts a request into its slot; what was there of another epoch has been moved.
    function join(Ledger storage ledger, Request memory older, uint256 epoch, uint256 amount) private {
        if (older.epoch == epoch) amount += older.amount;
        ledger.slots[epoch & 1] = Request(epoch.toUint32(), amount.toUint128());
    }

    /// @dev `amount` of `whole`, in what `other` stands for. Of nothing only nothing can be claimed, or what rounding left.
    function part(uint256 amount, uint256 whole, uint256 other, Math.Rounding rounding) private pure returns (uint256) {
        if (amount > whole) revert ExceedsClaimable(amount, whole);
        return amount == 0 ? 0 : amount.mulDiv(other, whole, rounding);
    }

    /// @dev Hands shares out.
    function payShares(Claim memory claim, uint256 assets, uint256 shares, address receiver, address controller)
        private
    {
        reduce(vaultStorage().deposits[controller], claim, assets, shares);
        _transfer(address(this), receiver, shares);
        emit Deposit(controller, receiver, assets, shares);
    }

    /// @dev Pays assets out.
    function payAssets(Claim memory claim, uint256 assets, uint256 shares, address receiver, address controller)
        private
    {
        VaultStorage storage $ = vaultStorage();
        reduce($.redeems[controller], claim, assets, shares);
        $.reserved -= assets.toUint128();
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        IERC20($.asset).safeTransfer(receiver, assets);
    }

    function reduce(Ledger storage ledger, Claim memory claim, uint256 assets, uint256 shares) private {
        claim.assets -= assets.toUint128();
        claim.shares -= shares.toUint128();
        ledger.claim = claim;
    }

    /// @dev The controller's claim on shares, its settled slots emptied. The caller stores it.
    function collectDeposits(address controller) private returns (Claim memory claim) {
        VaultStorage storage $ = vaultStorage();
        checkOperator($, controller);
        claim = settledDeposits($, controller);
        Ledger storage ledger = $.deposits[controller];
        for (uint256 i = 0; i < 2; i++) {
            if ($.depositRates[ledger.slots[i].epoch].assets != 0) delete ledger.slots[i];
        }
    }

    /// @dev The controller's claim on assets, its settled slots emptied and unfilled shares given back.
    function collectRedeems(address controller) private returns (Claim memory claim) {
        VaultStorage storage $ = vaultStorage();
        checkOperator($, controller);
        Ledger storage ledger = $.redeems[controller];
        claim = ledger.claim;
        for (uint256 i = 0; i < 2; i++) {
            Request memory slot = ledger.slots[i];
            if (slot.amount == 0 || $.redeemRates[slot.epoch].shares == 0) continue;
            claim = collectRedeem($, claim, slot, controller);
            delete ledger.slots[i];
        }
    }

    /// @dev Adds a settled redemption to a claim, with its side effects.
    function collectRedeem(VaultStorage storage $, Claim memory claim, Request memory slot, address controller)
        private
        returns (Claim memory)
    {
        uint256 returned;
        (claim, returned) = addRedeem($, claim, slot);
        Shortage storage shortage = $.shortages[slot.epoch];
        for (uint256 j = 0; j < shortage.pockets.length; j++) {
            $.pocketUnits[shortage.pockets[j]][controller] += filledUnits($, slot, shortage.unfilled);
        }
        if (returned != 0) _transfer(address(this), controller, returned);
        return claim;
    }

    function settledDeposits(VaultStorage storage $, address controller) private view returns (Claim memory claim) {
        Ledger storage ledger = $.deposits[controller];
        claim = ledger.claim;
        for (uint256 i = 0; i < 2; i++) {
            Request memory slot = ledger.slots[i];
            if (slot.amount != 0 && $.depositRates[slot.epoch].assets != 0) claim = addDeposit($, claim, slot);
        }
    }

    function settledRedeems(VaultStorage storage $, address controller) private view returns (Claim memory claim) {
        Ledger storage ledger = $.redeems[controller];
        claim = ledger.claim;
        for (uint256 i = 0; i < 2; i++) {
            Request memory slot = ledger.slots[i];
            if (slot.amount != 0 && $.redeemRates[slot.epoch].shares != 0) (claim,) = addRedeem($, claim, slot);
        }
    }

    /// @dev Adds a settled deposit to a claim.
    function addDeposit(VaultStorage storage $, Claim memory claim, Request memory slot)
        private
        view
        returns (Claim memory)
    {
        Rate memory rate = $.depositRates[slot.epoch];
        claim.assets += slot.amount;
        claim.shares += uint256(slot.amount).mulDiv(rate.shares, rate.assets).toUint128();
        return claim;
    }

    /// @dev Adds a settled redemption to a claim.
    /// @return The claim
    /// @return returned Shares that could not be redeemed
    function addRedeem(VaultStorage storage $, Claim memory claim, Request memory slot)
        private
        view
        returns (Claim memory, uint256 returned)
    {
        Rate memory rate = $.redeemRates[slot.epoch];
        returned = uint256(slot.amount).mulDiv($.shortages[slot.epoch].unfilled, rate.shares);
        claim.assets += uint256(slot.amount).mulDiv(rate.assets, rate.shares).toUint128();
        claim.shares += slot.amount - returned.toUint128();
        return (claim, returned);
    }

    /// @dev A settled redemption's part in the pockets of its epoch, rounded down.
    function filledUnits(VaultStorage storage $, Request memory slot, uint256 unfilled) private view returns (uint256) {
        uint256 shares = $.redeemRates[slot.epoch].shares;
        return uint256(slot.amount).mulDiv(shares - unfilled, shares);
    }
}
