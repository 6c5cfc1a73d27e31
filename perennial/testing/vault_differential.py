"""Vault and mirror side by side, over several markets and theirs: the same actions to both, every number compared.

`TwinBench` deploys the protocol once a process; `TwinBench.open_vault` makes a vault over markets, a `VaultTwin`.
After every action, of users of the vault or in its markets, every view must give the mirror's number, and the
invariants of docs/protocol.md §14 hold.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from perennial.abi import Reverted, decode_error, interface
from perennial.mirror.errors import MarketError
from perennial.mirror.invariants import InvariantError, check_invariants
from perennial.mirror.market import Market
from perennial.mirror.oracle import Oracle, OracleVersion
from perennial.mirror.vault import Vault
from perennial.mirror.vault_errors import Asynchronous
from perennial.mirror.vault_invariants import check_vault
from perennial.mirror.vault_state import VaultParameter
from perennial.testing.differential import ACTORS, ROLES, Bench, Mismatch, Setup, Twin, address_of
from perennial.testing.evm import Contract, Halted
from perennial.testing.vault_guard import Guard

MANAGER = "coordinator"
"""Who makes the vault and holds its parameters."""

START = 1_000_000
"""Where the clock of a game begins, Unix seconds."""

REACHING = frozenset(
    {
        "close_epoch",
        "settle",
        "rebalance",
        "register",
        "unregister",
        "update_parameter",
        "claim_reward",
        "gift",
        "liquidate",
        "mend",
    }
)
"""Actions in the vault that change something in its markets, or may."""

BROKEN = bytes.fromhex("5f5ffd")
"""Code that reverts whatever it is asked."""

Step = tuple[int | None, str, tuple[Any, ...]]
"""An action: index of the market that it is done in, None for the vault; name and arguments as Twin.act takes them."""


@dataclass(frozen=True, slots=True)
class VaultSetup:
    """What a game starts with: markets of one protocol and token, with weight and leverage (6 decimals) of each.

    `spare` markets are there and not registered yet.
    """

    markets: tuple[Setup, ...]
    weights: tuple[int, ...]
    leverages: tuple[int, ...]
    parameter: VaultParameter
    spare: int = 0


class revert(MarketError):  # noqa: N801, N818 -- as a contract's revert without data is named
    """What a market reverts with while its oracle does not answer."""


class BreakableOracle(Oracle):
    """A provider that can stop answering."""

    broken = False

    def status(self) -> tuple[OracleVersion, int]:
        """As Oracle's; raises `revert` while it is broken."""
        if self.broken:
            raise revert
        return super().status()


class TwinBench(Bench):
    """The protocol with a VaultFactory."""

    def __init__(self) -> None:
        super().__init__()
        owner = self.owner
        self.vaults = self.evm.deploy("VaultFactory", owner, self.factory.address, sender=owner)
        epochs = self.evm.deploy("VaultEpochs", self.factory.address, sender=owner)
        arguments = (self.vaults.address, self.factory.address, epochs.address)
        code = self.evm.deploy("Vault", *arguments, sender=owner)
        self.vaults.send("upgradeTo", code.address, sender=owner)

    @contextmanager
    def open_vault(self, setup: VaultSetup, *, register: bool = True) -> Iterator["VaultTwin"]:
        """A vault over markets, and the mirrors; all are gone afterwards.

        Without `register` the vault has no markets yet: where recorded actions are done again, they are among them.
        """
        with self.evm.undone():
            self.evm.warp(START)
            twin = VaultTwin(self, setup)
            if register:
                twin.register()
            try:
                yield twin
            finally:
                twin.mend_all()


class MarketOfVault(Twin):
    """A market of the vault's game: its actions are recorded there."""

    record: Callable[[str, tuple[Any, ...]], None] | None = None
    mirror_oracle: BreakableOracle
    guard: Callable[..., Guard] | None = None
    code: bytes
    vault = ""

    def provider(self) -> tuple[Contract, Any]:
        """An oracle that can break."""
        oracle, _ = super().provider()
        self.code = self.bench.evm.code(oracle.address)
        return oracle, BreakableOracle(self.setup.current)

    def requests(self) -> tuple[Any, Any]:
        """As Twin's; a provider that is broken does not say."""
        return (0, 0) if self.mirror_oracle.broken else super().requests()

    def answer(self, working: bool) -> None:
        """Makes the oracle answer, or not."""
        self.mirror_oracle.broken = not working
        self.bench.evm.replace(self.oracle.address, self.code if working else BROKEN)

    def settle_all(self) -> None:
        """As Twin's, the vault included."""
        self.act("settle_vault", self.vault)
        super().settle_all()

    def _do_settle_vault(self, vault: str) -> str | None:
        by = self.bench.owner
        return self._both(self.market, "settle", (vault,), by, lambda: self.mirror.settle(vault, caller=by))

    def _do_commit(self, version: int, price: int | None, current: int) -> None:
        with self._working():
            super()._do_commit(version, price, current)

    def _do_wait(self, current: int) -> None:
        with self._working():
            super()._do_wait(current)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """What keepers do reaches an oracle that does not answer, too."""
        if not self.mirror_oracle.broken:
            yield
            return
        self.answer(working=True)
        yield
        self.answer(working=False)

    def act(self, name: str, *arguments: Any) -> str | None:
        """As Twin's."""
        if self.record is None:
            return super().act(name, *arguments)
        self.record(name, arguments)
        assert self.guard is not None
        guard = self.guard(priced=False)
        error = super().act(name, *arguments)
        guard.check(set())
        return error


@dataclass
class VaultTwin:
    """A vault and its mirror. `actions` is what was done so far, `outcomes` counts how it ended."""

    bench: TwinBench
    setup: VaultSetup
    actions: list[Step] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        bench, setup = self.bench, self.setup
        self.markets = [MarketOfVault(bench, market) for market in setup.markets]
        factory = self.markets[0].mirror.factory
        for index, twin in enumerate(self.markets):
            twin.mirror.factory = factory
            twin.record = lambda name, arguments, index=index: self.actions.append((index, name, arguments))
            twin.outcomes = self.outcomes
        self.token, self.scale = self.markets[0].token, self.markets[0].scale
        manager = address_of(MANAGER)
        arguments = (self.token.address, "Vault", "VLT", setup.parameter.to_abi())
        (address,) = bench.vaults.send("create", *arguments, sender=manager)
        self.vault = bench.evm.contract("IVault", address)
        self.mirror = Vault(
            factory,
            setup.parameter,
            asset=self.token.address,
            decimals=setup.markets[0].decimals,
            coordinator=manager,
            owner=bench.owner,
            address=address,
            known=[twin.mirror for twin in self.markets],
            now=START,
        )
        for name in (*ROLES, *ACTORS):
            self.token.send("approve", address, 2**256 - 1, sender=address_of(name))
        self.users = [address_of(name) for name in (*ACTORS, MANAGER)]
        for twin in self.markets:
            twin.accounts.append(address)
            twin.vault, twin.guard = address, self.guard
        self.warp(0)

    def register(self) -> None:
        """Registers all markets but the spare ones."""
        setup = self.setup
        for index in range(len(self.markets) - setup.spare):
            self.act("register", index, setup.weights[index], setup.leverages[index], MANAGER)

    def warp(self, seconds: int) -> None:
        """Time passes for the vault."""
        self.mirror.now += seconds
        self.bench.evm.warp(self.mirror.now)
        self.mirror.factory.verifier.now = self.mirror.now

    # -- Actions ---------------------------------------------------------------------------------------------------

    def act(self, name: str, *arguments: Any) -> str | None:
        """Does one action in both and compares; returns the name of the error where both refuse it.

        Names of actors stand for their addresses, indexes for markets. Raises Mismatch.
        """
        self.actions.append((None, name, arguments))
        move: Callable[..., str | None] = getattr(self, f"_do_{name}")
        # What a market is worth is not known while it does not answer.
        guard = self.guard(priced=name not in ("break", "mend"))
        error = move(*arguments)
        self.outcomes[f"vault {name}: {error or 'done'}"] += 1
        self.compare(markets=name in REACHING)
        guard.check({self._at(word) for word in arguments if word in (*ACTORS, MANAGER)})
        return error

    def guard(self, *, priced: bool) -> Guard:
        """Looks at what everybody has, and at the price of a share."""
        return Guard(self.mirror, self.users, priced=priced)

    def replay(self, actions: list[Step]) -> None:
        """Does recorded actions again."""
        for index, name, arguments in actions:
            actor = self if index is None else self.markets[index]
            actor.act(name, *arguments)

    def _both(self, function: str, arguments: tuple[Any, ...], sender: str, mirror: Callable[[], Any]) -> str | None:
        """Sends to the vault and calls the mirror; the error that both end in, or None."""
        self.mirror.events = []
        for twin in self.markets:
            twin.mirror.events = []
        before = self._wallets()
        expected: tuple[Any, ...] | None = None
        result = None
        try:
            result = mirror()
        except MarketError as error:
            expected = type(error).__name__, error.args
        try:
            returned = self.vault.send(function, *arguments, sender=sender)
            actual = None
        except Reverted as error:
            returned, actual = (), (error.name, error.values)
        except Halted as error:
            raise Mismatch(f"{function} halted: {error}; mirror: {expected}") from error
        if actual != expected:
            raise Mismatch(f"{function}: contract {actual or 'accepts'}, mirror {expected or 'accepts'}")
        if actual is not None:
            return str(actual[0])
        if result is not None and returned != (result,):
            raise Mismatch(f"{function}: contract returns {returned}, mirror {result}")
        self._compare_events()
        self._compare_wallets(before)
        return None

    def _compare_events(self) -> None:
        actual = [
            # What a market refused is told by its error.
            (name, (values[0], (reason := decode_error(values[1])).name, *reason.values))
            if name == "OrderRefused"
            else (name, _flat(values))
            for name, values in self.vault.events()
            if name not in ("Transfer", "Approval")
        ]
        expected = [(name, _flat(values)) for name, values in self.mirror.events or ()]
        if actual != expected:
            raise Mismatch(f"events: contract {actual}, mirror {expected}")
        self.outcomes.update(f"vault event {name}" for name, _ in expected)
        self.outcomes.update(f"refused {values[1]}" for name, values in expected if name == "OrderRefused")
        for index, twin in enumerate(self.markets):
            told = [(name, _flat(values)) for name, values in twin.market.events()]
            meant = [(name, _flat(values)) for name, values in twin.mirror.events or ()]
            if told != meant:
                raise Mismatch(f"events of market {index}: contract {told}, mirror {meant}")

    def _wallets(self) -> dict[str, int]:
        """Tokens of each actor outside, less what the mirror says it has got of the vault."""
        return {
            name: self.token.value("balanceOf", address_of(name)) - self.mirror.wallets.get(address_of(name), 0)
            for name in (*ACTORS, MANAGER)
        }

    def _compare_wallets(self, before: dict[str, int]) -> None:
        after = self._wallets()
        for name, balance in before.items():
            if after[name] != balance:
                raise Mismatch(f"tokens of {name}: the contract paid {after[name] - balance} more than the mirror")

    # -- Requests and claims: names of actors, token units or shares -------------------------------------------------

    def _do_request_deposit(self, assets: int, controller: str, owner: str, caller: str) -> str | None:
        to, of, by = self._at(controller), address_of(owner), address_of(caller)
        return self._both(
            "requestDeposit", (assets, to, of), by, lambda: self.mirror.request_deposit(assets, to, of, caller=by)
        )

    def _do_request_redeem(self, shares: int, controller: str, owner: str, caller: str) -> str | None:
        to, of, by = self._at(controller), address_of(owner), address_of(caller)
        return self._both(
            "requestRedeem", (shares, to, of), by, lambda: self.mirror.request_redeem(shares, to, of, caller=by)
        )

    def _do_recall_deposit(self, controller: str, receiver: str, caller: str) -> str | None:
        of, to, by = address_of(controller), address_of(receiver), address_of(caller)
        return self._both("recallDeposit", (of, to), by, lambda: self.mirror.recall_deposit(of, to, caller=by))

    def _do_claim(self, function: str, amount: int, receiver: str, controller: str, caller: str) -> str | None:
        """One of deposit, mint, withdraw and redeem."""
        to, of, by = self._at(receiver), address_of(controller), address_of(caller)
        call = getattr(self.mirror, function)
        return self._both(function, (amount, to, of), by, lambda: call(amount, to, of, caller=by))

    def _do_claim_returned(self, pocket: int, controller: str, receiver: str, caller: str) -> str | None:
        to, of, by = address_of(receiver), address_of(controller), address_of(caller)
        return self._both(
            "claimReturned", (pocket, of, to), by, lambda: self.mirror.claim_returned(pocket, of, to, caller=by)
        )

    def _do_set_operator(self, operator: str, approved: bool, caller: str) -> str | None:
        who, by = address_of(operator), address_of(caller)
        return self._both(
            "setOperator", (who, approved), by, lambda: self.mirror.set_operator(who, approved, caller=by)
        )

    def _do_approve(self, spender: str, value: int, caller: str) -> str | None:
        who, by = address_of(spender), address_of(caller)
        return self._both("approve", (who, value), by, lambda: self.mirror.approve(who, value, caller=by))

    def _do_transfer(self, to: str, value: int, caller: str) -> str | None:
        who, by = self._at(to), address_of(caller)
        return self._both("transfer", (who, value), by, lambda: self.mirror.transfer(who, value, caller=by))

    def _do_transfer_from(self, owner: str, to: str, value: int, caller: str) -> str | None:
        of, who, by = address_of(owner), self._at(to), address_of(caller)
        return self._both(
            "transferFrom", (of, who, value), by, lambda: self.mirror.transfer_from(of, who, value, caller=by)
        )

    # -- Epochs ----------------------------------------------------------------------------------------------------

    def _do_close_epoch(self, caller: str) -> str | None:
        return self._both("closeEpoch", (), address_of(caller), self.mirror.close_epoch)

    def _do_rebalance(self, caller: str) -> str | None:
        return self._both("rebalance", (), address_of(caller), self.mirror.rebalance)

    def _do_settle(self, caller: str) -> str | None:
        error = self._both("settle", (), address_of(caller), self.mirror.settle)
        if error is not None:
            raise Mismatch(f"settlement reverts with {error}")
        return error

    # -- What the coordinator does -----------------------------------------------------------------------------------

    def _do_register(self, index: int, weight: int, leverage: int, caller: str) -> str | None:
        by, (address, market) = address_of(caller), self._market(index)
        return self._both(
            "register",
            (address, weight, leverage),
            by,
            lambda: self.mirror.register(market, weight, leverage, caller=by),
        )

    def _do_update_market(self, index: int, weight: int, leverage: int, caller: str) -> str | None:
        by, (address, market) = address_of(caller), self._market(index)
        return self._both(
            "updateMarket",
            (address, weight, leverage),
            by,
            lambda: self.mirror.update_market(market, weight, leverage, caller=by),
        )

    def _do_unregister(self, index: int, caller: str) -> str | None:
        by, (address, market) = address_of(caller), self._market(index)
        return self._both("unregister", (address,), by, lambda: self.mirror.unregister(market, caller=by))

    def _do_update_parameter(self, parameter: VaultParameter, caller: str) -> str | None:
        by = address_of(caller)
        return self._both(
            "updateParameter",
            (parameter.to_abi(),),
            by,
            lambda: self.mirror.update_parameter(parameter, caller=by),
        )

    def _do_update_coordinator(self, to: str, caller: str) -> str | None:
        who, by = self._at(to), address_of(caller)
        return self._both("updateCoordinator", (who,), by, lambda: self.mirror.update_coordinator(who, caller=by))

    def _do_claim_reward(self, index: int, receiver: str, caller: str) -> str | None:
        to, by, (address, market) = address_of(receiver), address_of(caller), self._market(index)
        return self._both("claimReward", (address, to), by, lambda: self.mirror.claim_reward(market, to, caller=by))

    # -- The world around ------------------------------------------------------------------------------------------

    def _do_wait(self, seconds: int) -> None:
        """Time passes for the vault; the markets' versions are their oracles' affair."""
        self.warp(seconds)

    def _do_donate(self, amount: int) -> None:
        """Somebody sends the vault tokens, token units."""
        self.token.send("transfer", self.vault.address, amount, sender=self.bench.owner)
        self.mirror.receive(amount, self.bench.owner)

    def _do_gift(self, index: int, amount: int, caller: str) -> None:
        """Somebody deposits for the vault's account in a market: USD, 6 decimals."""
        twin, by = self.markets[index], address_of(caller)
        twin.mirror.update(self.vault.address, 0, 0, amount, caller=by)
        nobody = "0x" + "0" * 40
        twin.market.send("update", self.vault.address, 0, 0, amount, nobody, sender=by)

    def _do_liquidate(self, index: int, caller: str) -> str | None:
        """Somebody liquidates the vault's account in a market."""
        twin, by, vault = self.markets[index], address_of(caller), self.vault.address
        expected = None
        try:
            twin.mirror.liquidate(vault, caller=by)
        except MarketError as error:
            expected = type(error).__name__, error.args
        actual = None
        try:
            twin.market.send("liquidate", vault, sender=by)
        except Reverted as error:
            actual = error.name, error.values
        if actual != expected:
            raise Mismatch(f"liquidate: contract {actual or 'accepts'}, mirror {expected or 'accepts'}")
        return None if actual is None else str(actual[0])

    def _do_break(self, index: int) -> None:
        """The oracle of a market stops answering."""
        self.markets[index].answer(working=False)

    def _do_mend(self, index: int) -> None:
        """It answers again."""
        self.markets[index].answer(working=True)

    def mend_all(self) -> None:
        """All oracles answer again."""
        for twin in self.markets:
            twin.answer(working=True)

    def _market(self, index: int) -> tuple[str, Market]:
        twin = self.markets[index]
        return twin.market.address, twin.mirror

    def _at(self, name: str) -> str:
        """An actor's address; the vault's own and nobody's have names, too."""
        special = {"vault": self.vault.address, "nobody": "0x" + "0" * 40}
        return special.get(name) or address_of(name)

    # -- Comparison ------------------------------------------------------------------------------------------------

    def compare(self, *, markets: bool = True) -> None:
        """Raises Mismatch for the first number that differs and for the first invariant that does not hold.

        Without `markets` those are left out: for actions that do not reach them.
        """
        self._compare_books()
        self._compare_lists()
        for name in (*ACTORS, MANAGER):
            self._compare_account(address_of(name))
        for twin in self.markets if markets else ():
            twin.compare()
        try:
            check_vault(self.mirror)
            for twin in self.markets if markets else ():
                check_invariants(twin.mirror)
        except InvariantError as error:
            raise Mismatch(str(error)) from error

    def _compare_books(self) -> None:
        vault, mirror = self.vault, self.mirror
        read = vault.read
        some = 10**mirror.decimals + 7
        for name, actual, expected in (
            (
                "epochs",
                read("epochs"),
                (
                    mirror.epoch,
                    mirror.deposit_epoch,
                    mirror.pending,
                    mirror.entering,
                    mirror.closed_at,
                    mirror.open_pockets,
                ),
            ),
            (
                "books",
                read("books"),
                (
                    mirror.idle,
                    mirror.reserved,
                    mirror.open_deposits,
                    mirror.open_redeems,
                    mirror.entering_net,
                    mirror.pending_redeems,
                    mirror.last_assets,
                    mirror.mark,
                    mirror.insolvent,
                ),
            ),
            ("parameter", read("parameter"), mirror.parameter.to_abi()),
            ("coordinator", read("coordinator"), (mirror.coordinator,)),
            ("totalSupply", read("totalSupply"), (mirror.supply,)),
            ("totalAssets", read("totalAssets"), (mirror.total_assets(),)),
            ("convertToShares", read("convertToShares", some), (mirror.convert_to_shares(some),)),
            ("convertToAssets", read("convertToAssets", some), (mirror.convert_to_assets(some),)),
            ("tokens", read_token(self.token, vault.address), (mirror.tokens,)),
            ("shares of the vault", read("balanceOf", vault.address), (mirror.balance_of(vault.address),)),
        ):
            if actual != expected:
                raise Mismatch(f"{name}: contract {actual}, mirror {expected}")

    def _compare_lists(self) -> None:
        mirror = self.mirror
        function = interface("IVault").function("markets", 0)
        (actual,) = function.decode(self.bench.evm.call(self.vault.address, function.encode(())))
        expected = tuple(
            (
                entry.market.address,
                entry.weight,
                entry.leverage,
                entry.pocket,
                entry.version,
                entry.expected,
                entry.charge,
                entry.exposed,
                entry.awaited,
                entry.ordered,
                entry.leverage_before,
                entry.rests_until,
            )
            for entry in mirror.markets
        )
        if actual != expected:
            raise Mismatch(f"markets: contract {actual}, mirror {expected}")
        for id_, pocket in mirror.pockets.items():
            found = self.vault.read("pockets", id_)
            wanted = (pocket.market.address, pocket.resolved, pocket.redeemed, pocket.debt, pocket.payout)
            if found != wanted:
                raise Mismatch(f"pocket {id_}: contract {found}, mirror {wanted}")

    def _compare_account(self, account: str) -> None:
        read, mirror = self.vault.read, self.mirror
        views: list[tuple[str, tuple[int, ...], int]] = [
            ("balanceOf", (), mirror.balance_of(account)),
            ("maxDeposit", (), mirror.max_deposit(account)),
            ("maxMint", (), mirror.max_mint(account)),
            ("maxWithdraw", (), mirror.max_withdraw(account)),
            ("maxRedeem", (), mirror.max_redeem(account)),
        ]
        for id_ in {0, mirror.epoch, mirror.pending, mirror.deposit_epoch, mirror.entering, max(0, mirror.epoch - 2)}:
            views += [
                ("pendingDepositRequest", (id_,), mirror.pending_deposit_request(id_, account)),
                ("claimableDepositRequest", (id_,), mirror.claimable_deposit_request(id_, account)),
                ("pendingRedeemRequest", (id_,), mirror.pending_redeem_request(id_, account)),
                ("claimableRedeemRequest", (id_,), mirror.claimable_redeem_request(id_, account)),
            ]
        views += [("pocketUnits", (id_,), mirror.units_of(id_, account)) for id_ in mirror.pockets]
        for name, arguments, expected in views:
            actual = read(name, *arguments, account)
            if actual != (expected,):
                raise Mismatch(f"{name}({arguments}, {account}): contract {actual}, mirror {expected}")

    def check_previews(self) -> None:
        """Nothing can be previewed (ERC-7540)."""
        for name in ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"):
            try:
                self.vault.read(name, 1)
            except Reverted as error:
                if error.name == Asynchronous.__name__:
                    continue
            raise Mismatch(f"{name} does not revert")


def read_token(token: Contract, account: str) -> tuple[int]:
    """The account's tokens, token units."""
    return (token.value("balanceOf", account),)


def _flat(values: Any) -> tuple[Any, ...]:
    flat: list[Any] = []
    for value in values:
        flat.extend(_flat(value) if isinstance(value, tuple) else [value])
    return tuple(flat)
