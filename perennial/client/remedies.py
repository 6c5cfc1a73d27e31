"""Every custom error of the contracts in plain words: what it means, and what to do about it.

tests/unit/client/test_remedies.py holds that no error of a contract is missing here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from eth_utils.address import to_checksum_address

from perennial.abi import abi_type
from perennial.amounts import decimal
from perennial.artifacts import load_all


class Remedy(NamedTuple):
    """What an error means, and what to do; nothing where there is nothing to do for a user."""

    meaning: str
    remedy: str = ""


_KEEPER = "This is for whoever commits prices: see the keeper's log."
_OWNER = "Only the owner of the contract may do this."
_BUG = "This should not happen: report it with the transaction."

REMEDIES: dict[str, Remedy] = {
    # -- Markets: calls of users --------------------------------------------------------------------------------------
    "MarketPaused": Remedy("The protocol is paused.", "Wait until it is unpaused; nothing is lost meanwhile."),
    "Reentered": Remedy("A call came in while another one of the market was running.", _BUG),
    "NotOperator": Remedy(
        "The caller may not act for this account.",
        "Send with the account itself, or let the account approve the caller: MarketFactory.updateOperator.",
    ),
    "BothSides": Remedy("An order changes maker and taker size at once.", "Send two orders."),
    "WrongSide": Remedy(
        "The account has a position or orders on another side.",
        "Close that side first and wait until it has settled, or use another account.",
    ),
    "OverClose": Remedy(
        "The order closes more than is settled and not closing already.",
        "Wait until pending orders have settled, or close at most what is closable.",
    ),
    "SizeOverflow": Remedy("The size would not fit the market's storage.", "Give a size in units, not in raw numbers."),
    "CollateralOverflow": Remedy("The amount would not fit the market's storage.", "Give an amount in dollars."),
    "AccountLocked": Remedy(
        "A liquidation of the account waits for its version.", "Wait until that version is settled; deposits work."
    ),
    "StalePrice": Remedy(
        "The latest price is missing, invalid or too old for a trade.",
        "Wait for the next price, or have one committed (`perennial keeper --once --max-age 30`); deposits work.",
    ),
    "MarketClosed": Remedy(
        "The market is closed: positions may only shrink.", "Close or reduce; nothing can be opened."
    ),
    "TooManyPending": Remedy(
        "As many versions wait for settlement as may.", "Wait for the next prices, or let a keeper settle them."
    ),
    "MakerLimitExceeded": Remedy(
        "The makers' size would not stay below the market's limit.", "Provide less, or wait until other makers leave."
    ),
    "EfficiencyTooLow": Remedy(
        "There are too few makers for so large a taker side.", "Take a smaller size, or the other side."
    ),
    "UncoveredClose": Remedy(
        "The close would leave takers without cover.", "Close less, or wait until others open on this side."
    ),
    "ReferrerMismatch": Remedy(
        "The account's orders at this version name another referrer already.",
        "Name the same referrer, or none, or wait for the next version.",
    ),
    "InsufficientMargin": Remedy(
        "The collateral would not cover the margin that the position needs.",
        "Deposit at least the difference, or take a smaller size, or withdraw less.",
    ),
    "InsufficientMaintenance": Remedy(
        "Even after the reduction the collateral would not cover maintenance.",
        "Deposit at least the difference, or close more.",
    ),
    "InsufficientCollateral": Remedy("The withdrawal is more than the account has.", 'Withdraw less, or "all".'),
    "InsufficientTokens": Remedy(
        "The market cannot pay this now: accounts owe it what it lacks.",
        "Withdraw less, or try again when liquidations have settled.",
    ),
    "NotLiquidatable": Remedy("The account is healthy, or has nothing to close.", "There is nothing to do."),
    "InvalidVersion": Remedy("The oracle gave a version that time cannot have.", _BUG),
    # -- Intents ------------------------------------------------------------------------------------------------------
    "FillCrosses": Remedy(
        "A fill that takes the account through zero is pending.", "Wait until it settles at the next price."
    ),
    "InvalidFillAmount": Remedy(
        "The amount is zero or of another sign than the intent's.", "Give the intent's sign, and a size."
    ),
    "WorsePrice": Remedy("The price is worse than the one that was signed.", "Offer the signed price or a better one."),
    "PriceTooFar": Remedy(
        "The price is too far from the latest one.", "Agree on a price within the market's largest deviation."
    ),
    "SelfFill": Remedy("Both sides are one account.", "Fill with another account, or cancel the intent."),
    "MakerCannotFill": Remedy(
        "The account is a maker, who can neither sign nor fill intents.", "Use an account without maker size."
    ),
    "InsufficientCollateralization": Remedy(
        "The collateral would not cover what the intent itself asks for.",
        "Deposit, or sign with a lower collateralization.",
    ),
    "ZeroAmount": Remedy("The intent, or the fill, is of size 0.", "Give a size."),
    "SolverFeeTooHigh": Remedy("The solver's share is more than 1.", "Sign a share between 0 and 1."),
    "WrongDomain": Remedy(
        "The message is for another contract.", "Sign for the market that it is to be filled in, or for the Verifier."
    ),
    "MessageExpired": Remedy("The message has expired.", "Sign a new one with a later expiry."),
    "NonceAlreadyCancelled": Remedy("The message's nonce is cancelled, or used.", "Sign with another nonce."),
    "GroupAlreadyCancelled": Remedy("The message's group is cancelled.", "Sign with another group."),
    "SignerNotAuthorised": Remedy(
        "The account has not approved the signer.",
        "Sign with the account, or let it approve the signer: MarketFactory.updateSigner.",
    ),
    "WrongSignature": Remedy(
        "The signature is not the signer's, or not for this message, chain and Verifier.", "Sign again."
    ),
    "MalleableSignature": Remedy("The signature is not in its canonical form.", "Sign again with perennial.intents."),
    "OverFilled": Remedy("The fill is more than what remains of the intent.", "Fill at most what remains."),
    "FillTooSmall": Remedy(
        "The fill is less than a tenth of the intent, and not all that remains.", "Fill at least the minimum."
    ),
    "ForeignCode": Remedy("The code of markets or vaults was made for another factory.", _OWNER),
    "OwnerRequired": Remedy("The protocol always has an owner.", "Hand it over instead: transferOwnership."),
    "LengthMismatch": Remedy("The batch has not one signature for each message.", "Give as many as messages."),
    # -- Roles and parameters -----------------------------------------------------------------------------------------
    "NotCoordinator": Remedy("The caller is not the coordinator.", "Send with the coordinator, or the owner."),
    "NotOwner": Remedy("The caller is not the protocol's owner.", _OWNER),
    "NotFactory": Remedy("The caller is not the factory.", _OWNER),
    "NotFeeRole": Remedy(
        "The caller has no role that fees belong to.",
        "Credits of referrals and liquidations are claimed with `claim`; fees by who holds the role.",
    ),
    "NotPauser": Remedy("The caller is not the pauser.", "Send with the pauser."),
    "AlreadyInitialized": Remedy("The contract has been set up before.", _OWNER),
    "RewardAlreadySet": Remedy("The market's reward token has been set before.", "It cannot be changed."),
    "RewardIsToken": Remedy("The reward token is the settlement token.", "Name another token."),
    "ZeroBeneficiary": Remedy("The beneficiary cannot be zero.", "Name who may claim the donation."),
    "ZeroAddress": Remedy("An address that must be set is zero.", "Set the field that is named."),
    "ParameterOutOfBounds": Remedy(
        "A parameter is out of its bounds.", "Bring the field that is named within the bound (docs/protocol.md §4)."
    ),
    "FactoryPaused": Remedy("The protocol is paused.", "Wait until it is unpaused."),
    "UnsupportedDecimals": Remedy("The token has fewer than 6 or more than 18 decimals.", "Use another token."),
    "UnknownPayoff": Remedy("The payoff is not of the PayoffFactory.", "Create it there: PayoffFactory.create."),
    "InvalidImplementation": Remedy("The implementation has no code, or belongs to another factory.", _OWNER),
    "OwnableUnauthorizedAccount": Remedy("The caller is not the owner.", _OWNER),
    "OwnableInvalidOwner": Remedy("The owner cannot be this address.", "Name an owner."),
    # -- The owner's timelock -----------------------------------------------------------------------------------------
    "AccessControlUnauthorizedAccount": Remedy("The caller does not hold the role.", "Send with who holds it."),
    "AccessControlBadConfirmation": Remedy("A role is given up by its holder alone.", "Send with the holder."),
    "FailedCall": Remedy("A call of the timelock failed without a reason.", "Simulate the call as the timelock."),
    "TimelockInsufficientDelay": Remedy("The delay is shorter than the timelock's.", "Schedule with at least that."),
    "TimelockInvalidOperationLength": Remedy("Targets, values and payloads are not as many.", "Give one of each."),
    "TimelockUnauthorizedCaller": Remedy("Only the timelock itself may do this.", "Schedule it."),
    "TimelockUnexecutedPredecessor": Remedy("An operation that comes before is not done.", "Execute that one first."),
    "TimelockUnexpectedOperationState": Remedy(
        "The operation is not in the state that this needs.", "Schedule it, or wait until its delay is over."
    ),
    # -- Payoffs ------------------------------------------------------------------------------------------------------
    "HalfPowerOutOfRange": Remedy("The payoff's half power is not -4 … 4, or is 0.", "Choose one of these."),
    "ScaleOutOfRange": Remedy("The payoff's scale is 0 or above 10^18.", "Choose a scale in between (18 decimals)."),
    "PayoffOverflow": Remedy("The payoff of this price is too large.", "The version is invalid: its orders cancel."),
    "PayoffZero": Remedy("The payoff of this price is 0.", "The version is invalid: its orders cancel."),
    "PriceNotPositive": Remedy("A price is not above 0.", _KEEPER),
    # -- Oracles ------------------------------------------------------------------------------------------------------
    "OracleNotMarket": Remedy("The caller is not the oracle's market.", "Versions are requested by orders alone."),
    "OracleNotFactory": Remedy("The caller is not the OracleFactory.", _OWNER),
    "OracleNotAdapter": Remedy("The caller is not the version's adapter.", _KEEPER),
    "OracleNotServed": Remedy("The oracle is not of this adapter.", _KEEPER),
    "OracleUnknown": Remedy("The oracle is not of the OracleFactory.", "Create it there: OracleFactory.create."),
    "OracleKnown": Remedy("The oracle is registered already.", "There is nothing to do."),
    "OracleTaken": Remedy("The oracle serves another market already.", "Create an oracle of your own for each market."),
    "OracleOfAnother": Remedy("The oracle was created by somebody else.", "Create an oracle of your own."),
    "OracleNotOwn": Remedy("The oracle was not made by the OracleFactory.", "This works for its own oracles alone."),
    "AdapterUnknown": Remedy("The adapter is not approved.", "Name an adapter of the OracleFactory's."),
    "AdapterInService": Remedy("The adapter serves the oracle already.", "There is nothing to do."),
    "AdapterNotFactory": Remedy("The caller is not the OracleFactory.", _OWNER),
    "AdapterNotSelf": Remedy("The caller is not the adapter itself.", _BUG),
    "HandoverPending": Remedy(
        "The oracle is still being handed over.", "Wait until the old adapter's versions are done."
    ),
    "HandoverNotOverdue": Remedy("Nothing of a replaced adapter is overdue.", "Wait until the deadline."),
    "GranularityOutOfRange": Remedy("Seconds between versions are 1 to 3,600.", "Choose one in between."),
    "GranularityTooSmall": Remedy("Versions would be closer than the adapter's window.", "Choose more seconds."),
    "FeedCountOutOfRange": Remedy("An oracle has one to four feeds.", "Give as many."),
    "FeedDuplicate": Remedy("A feed is named twice.", "Name each feed once."),
    "FeedIdInvalid": Remedy("There is no feed of this id.", "Look the id up with the source of prices."),
    "FeedPowerInvalid": Remedy("A feed's power is +1 or -1.", "Choose one of them."),
    "WindowOutOfRange": Remedy("The adapter's window is out of bounds.", _OWNER),
    "WindowPending": Remedy("The adapter's last window is not in force yet.", "Wait until it is."),
    "MarketBooksWrong": Remedy("The market paid another sum than its books say.", _BUG),
    "MarketFactorySet": Remedy("The OracleFactory has its MarketFactory already.", "There is nothing to do."),
    "MarketUnknown": Remedy("The market is not of the MarketFactory.", "Name a market of the protocol's."),
    "NotContract": Remedy("There is no contract at this address.", "Name a contract."),
    "NotMarketFactory": Remedy("The caller is not the MarketFactory.", _OWNER),
    "BatchEmpty": Remedy("No oracle is named.", _KEEPER),
    "FeeNotCovered": Remedy("The ether that was sent does not cover Pyth's fee.", _KEEPER),
    "RefundFailed": Remedy("The caller does not take its change back.", _KEEPER),
    "PriceFeedNotFoundWithinRange": Remedy("No update of the feed is in the version's window.", _KEEPER),
    "PriceInFuture": Remedy("A price is of a time to come.", _KEEPER),
    "PriceNotNewer": Remedy("A price is not newer than the latest version's.", _KEEPER),
    "PriceNotRepresentable": Remedy("A price does not fit 6 decimals.", _KEEPER),
    "PriceOfNextVersion": Remedy("A price belongs to the next requested version.", _KEEPER),
    "PriceOfOutage": Remedy("A price is of the sequencer's outage.", _KEEPER),
    "PriceOutOfRange": Remedy("A price is too large to be stored.", _KEEPER),
    "PriceUncertain": Remedy("A price is less certain than the adapter accepts.", _KEEPER),
    "RoundCountWrong": Remedy("There is not one round for each feed.", _KEEPER),
    "RoundMissing": Remedy("The feed has no such round.", _KEEPER),
    "RoundNotFirst": Remedy("An earlier round is at or after the version, too.", _KEEPER),
    "RoundNotProven": Remedy("The round cannot be shown to be the first one.", _KEEPER),
    "RoundOutOfWindow": Remedy("The round is out of the version's window.", _KEEPER),
    "SequencerDown": Remedy("The sequencer is down, or has just come back.", "Wait until its grace time is over."),
    "VersionExpired": Remedy("The version can only be committed as invalid.", _KEEPER),
    "VersionNotExpired": Remedy("The version can still get a price.", _KEEPER),
    "VersionInFuture": Remedy("The version is of a time to come.", _KEEPER),
    "VersionNotNewer": Remedy("The version is not newer than the latest one.", _KEEPER),
    "VersionNotNext": Remedy("The version is not the one that waits.", _KEEPER),
    "VersionOutOfOrder": Remedy("An earlier version waits for its price.", _KEEPER),
    "CheckpointUnorderedInsertion": Remedy("A change comes before an earlier one.", _BUG),
    # -- Vaults -------------------------------------------------------------------------------------------------------
    "DepositTooSmall": Remedy("The request is less than the vault's minimum.", "Deposit at least the minimum."),
    "DepositCapExceeded": Remedy(
        "With this request the vault would hold more than its cap.", "Deposit less, or later."
    ),
    "ZeroShares": Remedy("No shares were handed in.", "Give a number of shares."),
    "VaultInsolvent": Remedy("A loss beyond all assets has stopped deposits.", "Use another vault; claims still work."),
    "RequestPending": Remedy(
        "A request in another epoch takes the same place.", "Wait until that epoch has settled, and claim it."
    ),
    "NothingToRecall": Remedy(
        "No deposit waits in the epoch that is open for deposits.",
        "What has been closed is claimed once it has settled.",
    ),
    "ExceedsClaimable": Remedy("This is more than can be claimed.", "Claim at most what is claimable."),
    "Asynchronous": Remedy(
        "Requests are priced later: there is nothing to preview.", "Look at the share price instead."
    ),
    "SelfOperator": Remedy("Nobody is an operator of its own.", "Name another operator."),
    "EpochPending": Remedy("The epoch before has not settled.", "Wait for the next prices, then settle it."),
    "NothingToClose": Remedy("The open epoch has no requests that could be closed.", "There is nothing to do."),
    "NothingToRebalance": Remedy(
        "No market is off its target by more than the tolerance, or none accepts an order: one that was reduced at the "
        "expense of all grows by deposits alone for a day.",
        "There is nothing to do.",
    ),
    "ProtocolPaused": Remedy("The protocol is paused: no market would accept an order.", "Wait until it is unpaused."),
    "InsufficientGas": Remedy("The call of a market failed for want of gas.", "Send it with more gas."),
    "UnknownMarket": Remedy("The market is not of the MarketFactory.", "Name a market of the protocol's."),
    "WrongToken": Remedy("The market settles in another token than the vault.", "Name a market of the vault's token."),
    "AlreadyRegistered": Remedy("The market is in the vault already.", "Change its weight instead: updateMarket."),
    "NotRegistered": Remedy("The market is not in the vault.", "Register it first."),
    "TooManyMarkets": Remedy("The vault has as many markets as it may.", "Remove one first: unregister."),
    "MarketInUse": Remedy(
        "The market has a weight, a position, orders or a pocket.", "Set its weight to 0, and rebalance, first."
    ),
    "PocketOpen": Remedy(
        "The stuck market has not returned anything yet.", "Wait until an epoch settles with it again."
    ),
    # -- Tokens -------------------------------------------------------------------------------------------------------
    "ERC20InsufficientBalance": Remedy("The account has fewer tokens than this.", "Get more tokens, or use fewer."),
    "ERC20InsufficientAllowance": Remedy(
        "The market may take fewer of the account's tokens than this.",
        "Let the client approve what is needed, or approve it yourself: token.approve(market, amount).",
    ),
    "ERC20InvalidApprover": Remedy("The zero address approves nothing.", _BUG),
    "ERC20InvalidReceiver": Remedy("Tokens cannot go to this address.", "Name another receiver."),
    "ERC20InvalidSender": Remedy("Tokens cannot come from this address.", _BUG),
    "ERC20InvalidSpender": Remedy("This address cannot be approved.", "Name another spender."),
    "ERC2612ExpiredSignature": Remedy("The permit has expired.", "Sign another one."),
    "ERC2612InvalidSigner": Remedy("The permit is signed by somebody else.", "Sign with the owner of the tokens."),
    "InvalidAccountNonce": Remedy("The permit's nonce is not the next one.", "Sign another permit."),
    "SafeERC20FailedOperation": Remedy(
        "The token refuses the transfer.", "Look at balance and allowance, and whether the token is paused."
    ),
    # -- OpenZeppelin's and Solidity's own, and one of the client ------------------------------------------------------
    "AddressEmptyCode": Remedy("There is no contract where one was to be called.", _BUG),
    "ECDSAInvalidSignature": Remedy("This is no signature.", "Sign again."),
    "ECDSAInvalidSignatureLength": Remedy("A signature has 65 bytes.", "Sign again."),
    "ECDSAInvalidSignatureS": Remedy("The signature is not in its canonical form.", "Sign again."),
    "ReentrancyGuardReentrantCall": Remedy("A call came in while another one was running.", _BUG),
    "SafeCastOverflowedUintDowncast": Remedy("A number does not fit its storage.", "Give a smaller one."),
    "InvalidShortString": Remedy("A text is not as it is stored.", _BUG),
    "StringTooLong": Remedy("A text is too long.", "Give a shorter one."),
    "Panic": Remedy("The contract made an arithmetic or array error.", _BUG),
    "Error": Remedy("The contract refuses with a text.", ""),
    "Overtaken": Remedy(
        "Another transaction came first and changed what this one met; now it would succeed.",
        "Look at the account, and send it again if it is still wanted.",
    ),
    "NoContract": Remedy(
        "There is no contract at this address on the chain of this node.",
        "Look at the network and the node: a local chain that was started anew has nothing of the one before.",
    ),
    "revert": Remedy(
        "The call reverted without a reason.", "Look whether the address is that of the contract, on this chain."
    ),
}


_KINDS: dict[str, str] = {
    **dict.fromkeys(
        (
            "effectiveCollateral",
            "required",
            "collateral",
            "maintenance",
            "amount",
            "price",
            "balance",
            "size",
            "closable",
            "opened",
            "remaining",
            "minimum",
            "maker",
            "major",
            "cover",
            "signed",
            "makerDelta",
            "takerDelta",
            "maxDeviation",
        ),
        "decimal",
    ),
    **dict.fromkeys(("version", "timestamp", "latest", "current", "expiry", "since", "published", "deadline"), "time"),
    **dict.fromkeys(("side", "wanted"), "side"),
}
_OWN: dict[tuple[str, str], str] = {
    ("MakerLimitExceeded", "limit"): "decimal",
    ("EfficiencyTooLow", "limit"): "decimal",
    ("PriceTooFar", "latest"): "decimal",
    ("SolverFeeTooHigh", "fee"): "decimal",
    ("FeeNotCovered", "fee"): "raw",
    ("RefundFailed", "amount"): "raw",
    ("ERC20InsufficientBalance", "balance"): "raw",
    ("PriceNotPositive", "price"): "raw",
    ("PriceUncertain", "price"): "raw",
    ("InsufficientBalance", "balance"): "raw",
    ("DepositTooSmall", "minimum"): "raw",
    ("ExceedsClaimable", "amount"): "raw",
}
"""How values read, by the names of parameters; by error where one name means different things."""

_SIDES = ("none", "maker", "long", "short")


def known(name: str, count: int) -> Remedy | None:  # noqa: ARG001 -- overloads may come to differ
    """What an error of so many values means; None for one that no contract of the project has."""
    return REMEDIES.get(name)


def parameters(name: str, count: int) -> tuple[tuple[str, str], ...] | None:
    """Names and types of an error's values; None for an unknown error."""
    return _parameters().get((name, count))


def shown(error: str, parameter: str, kind: str, value: Any) -> Any:
    """A value as a person reads it: amounts as decimals, times and sides as text, the rest as it is."""
    reading = _OWN.get((error, parameter)) or _KINDS.get(parameter, "raw")
    if reading == "decimal" and "int" in kind:
        return decimal(value)
    if reading == "side":
        return _SIDES[value] if value < len(_SIDES) else str(value)
    if reading == "time":
        return datetime.fromtimestamp(value, UTC).isoformat() if 0 < value < 2**32 else str(value)
    return to_checksum_address(value) if kind == "address" else value


@cache
def _parameters() -> dict[tuple[str, int], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {("Panic", 1): (("code", "uint256"),)}
    found["Error", 1] = (("reason", "string"),)
    found["NoContract", 1] = (("address", "address"),)
    for artifact in load_all():
        for entry in artifact.abi:
            if entry["type"] == "error":
                inputs = tuple(
                    (value["name"] or f"value{i}", abi_type(value)) for i, value in enumerate(entry["inputs"])
                )
                found.setdefault((entry["name"], len(inputs)), inputs)
    return found
