"""Signed orders (docs/protocol.md §9): build, sign, hash, verify, cancel.

>>> intent = Intent.build(market=market, account=trader.address, amount="1.5", price="64000", expiry=expiry)
>>> signature = sign(intent, Domain(chain_id, verifier), trader)
"""

from perennial.intents.describing import describe
from perennial.intents.messages import (
    Common,
    FieldError,
    GroupCancellation,
    Intent,
    NonceCancellation,
    OperatorUpdate,
    Signable,
    SignerUpdate,
)
from perennial.intents.signing import (
    ContractCheck,
    MalleableSignature,
    SignatureError,
    SigningError,
    WrongSignature,
    sign,
    verify,
)
from perennial.intents.typed_data import Domain, message_hash, signable, typed_data

__all__ = [
    "Common",
    "ContractCheck",
    "Domain",
    "FieldError",
    "GroupCancellation",
    "Intent",
    "MalleableSignature",
    "NonceCancellation",
    "OperatorUpdate",
    "Signable",
    "SignatureError",
    "SignerUpdate",
    "SigningError",
    "WrongSignature",
    "describe",
    "message_hash",
    "sign",
    "signable",
    "typed_data",
    "verify",
]
