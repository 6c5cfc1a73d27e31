"""What a message says, in words: for who is asked to sign it, beside the raw fields that a wallet shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perennial.amounts import decimal
from perennial.intents.messages import (
    ZERO_ADDRESS,
    GroupCancellation,
    Intent,
    NonceCancellation,
    OperatorUpdate,
)

if TYPE_CHECKING:
    from perennial.intents.messages import Common, Signable

_LAST = 253_402_300_799
"""Last second of the year 9999, the last one that has a date."""


def describe(message: Signable) -> str:
    """Lines of text: what happens, for whom, where, until when; what is not used is left out."""
    return "\n".join([*_subject(message), *_terms(message.common)])


def _subject(message: Signable) -> list[str]:
    if isinstance(message, Intent):
        return _intent(message)
    if isinstance(message, NonceCancellation):
        return [f"Cancel nonce {message.common.nonce}"]
    if isinstance(message, GroupCancellation):
        return [f"Cancel group {message.group}, and nonce {message.common.nonce}"]
    if isinstance(message, OperatorUpdate):
        who, kind, may = message.operator, "an operator", "may act for the account, withdraw included"
    else:
        who, kind, may = message.signer, "a signer", "may sign intents for the account"
    return [f"Approve {who} as {kind}: it {may}" if message.approved else f"Stop {who} from being {kind}"]


def _intent(intent: Intent) -> list[str]:
    verb, worse = ("Buy", "less") if intent.amount > 0 else ("Sell", "more")
    lines = [f"{verb} up to {decimal(intent.size)} at {decimal(intent.price)} or {worse}"]
    if intent.collateralization:
        share = decimal(intent.collateralization * 100)
        lines.append(f"  with collateral of at least {share} % of the notional afterwards")
    if intent.originator != ZERO_ADDRESS:
        lines.append(f"  originator {intent.originator} gets the referral fee")
        if intent.solver != ZERO_ADDRESS and intent.fee:
            lines.append(f"  of which {decimal(intent.fee * 100)} % go to solver {intent.solver}")
    return lines


def _terms(common: Common) -> list[str]:
    lines = [f"  account {common.account}"]
    if common.signer != common.account:
        lines.append(f"  signed by {common.signer}")
    lines += [f"  for contract {common.domain}", f"  nonce {common.nonce}, group {common.group}"]
    if common.expiry > _LAST:
        return [*lines, "  until ever"]
    return [*lines, f"  until {datetime.fromtimestamp(common.expiry, UTC):%Y-%m-%d %H:%M:%S} UTC"]
