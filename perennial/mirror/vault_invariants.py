"""What must hold of a vault at every moment (docs/protocol.md §14.8), with the numbers where it does not."""

from perennial.mirror.invariants import InvariantError
from perennial.mirror.vault import Vault
from perennial.mirror.vault_state import Request


def check_vault(vault: Vault) -> None:
    """Raises InvariantError for the first invariant that does not hold; changes nothing.

    Rounding leaves what nobody can claim in the vault: at most one unit for each settled request and pocket.
    """
    owed = vault.idle + vault.reserved + vault.open_deposits
    _equal("tokens", vault.tokens - vault.donated, owed)
    _equal("supply", vault.supply, sum(vault.balances.values()))
    _equal("open pockets", vault.open_pockets, sum(not pocket.resolved for pocket in vault.pockets.values()))
    _require(vault.convert_to_assets(vault.supply) <= vault.total_assets(), "shares are worth more than the assets")
    _check_requests(vault)
    _check_claims(vault)


def _check_requests(vault: Vault) -> None:
    """What waits in the epochs is what controllers have handed in."""
    deposits, redeems = _slots(vault, "deposits"), _slots(vault, "redeems")
    _equal("open deposits", vault.open_deposits, _of(deposits, vault.deposit_epoch))
    if vault.entering:
        _equal("entering deposits", vault.entering_gross, _of(deposits, vault.entering))
    _require(vault.entering_net <= vault.entering_gross, "deposits grow while they enter")
    _equal("open redemptions", vault.open_redeems, _of(redeems, vault.epoch))
    _equal("pending redemptions", vault.pending_redeems, _of(redeems, vault.pending) if vault.pending else 0)


def _check_claims(vault: Vault) -> None:
    """Shares and tokens that are set aside cover all claims on them, and are no more than that but for rounding."""
    accounts = vault.deposits.keys() | vault.redeems.keys()
    claims = [vault.settled_deposits(account).shares for account in accounts]
    returned = sum(vault.returned_shares(account) for account in accounts)
    escrowed = vault.open_redeems + vault.pending_redeems + sum(claims) + returned
    _require(
        vault.balance_of(vault.address) >= escrowed,
        f"the vault holds {vault.balance_of(vault.address)} shares, users have {escrowed} there",
    )
    assets = sum(vault.settled_redeems(account).assets for account in accounts)
    assets += sum(vault.returnable(pocket, account) for pocket in vault.pockets for account in accounts)
    _require(vault.reserved >= assets, f"{vault.reserved} tokens are reserved for claims of {assets}")
    requests = sum(_requests(vault, epoch) for epoch in vault.redeem_rates)
    dust = len(vault.redeem_rates) * len(accounts) + len(vault.pockets) * (requests + len(accounts))
    _require(vault.reserved - assets <= dust, f"{vault.reserved - assets} tokens are reserved for nobody")
    for id_, pocket in vault.pockets.items():
        units = sum(vault.units_of(id_, account) for account in accounts)
        _require(units <= pocket.redeemed or pocket.resolved, f"pocket {id_}: {units} units of {pocket.redeemed}")


def _requests(vault: Vault, epoch: int) -> int:
    """At most so many controllers took part in an epoch's redemptions."""
    return len(vault.redeems) if epoch in vault.redeem_rates else 0


def _slots(vault: Vault, kind: str) -> list[Request]:
    return [slot for requests in getattr(vault, kind).values() for slot in requests.slots if slot.amount]


def _of(slots: list[Request], epoch: int) -> int:
    return sum(slot.amount for slot in slots if slot.epoch == epoch)


def _equal(what: str, actual: int, expected: int) -> None:
    _require(actual == expected, f"{what}: {actual} instead of {expected}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvariantError(message)
