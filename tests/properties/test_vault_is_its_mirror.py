"""Vault and mirror do the same, number for number, whatever happens in the vault and in its markets (§12.2, §12.3).

Depositors with operators, epochs closed and settled by anyone, claims in all forms, markets that move, get stuck, are
liquidated, paused and removed. After every step: every number, the invariants of docs/protocol.md §14, and that nobody
has lost anything to somebody else's action. `make fuzz-vault` plays as many games as you like.
"""

from collections import Counter
from random import Random

from perennial.testing.vault_differential import TwinBench
from perennial.testing.vault_games import play

GAMES = 64
STEPS = 40

# What the games must have seen to mean anything, by the names of VaultTwin.outcomes.
SEEN = (
    "vault claim: done",
    "vault claim: ExceedsClaimable",
    "vault claim: NotOperator",
    "vault claim_returned: PocketOpen",
    "vault close_epoch: done",
    "vault close_epoch: EpochPending",
    "vault close_epoch: NothingToClose",
    "vault donate: done",
    "vault gift: done",
    "vault liquidate: done",
    "vault rebalance: done",
    "vault rebalance: EpochPending",
    "vault rebalance: NothingToRebalance",
    "vault recall_deposit: done",
    "vault recall_deposit: NothingToRecall",
    "vault request_deposit: done",
    "vault request_deposit: DepositCapExceeded",
    "vault request_deposit: DepositTooSmall",
    "vault request_deposit: NotOperator",
    "vault request_redeem: done",
    "vault request_redeem: ERC20InsufficientBalance",
    "vault request_redeem: ZeroShares",
    "vault update_market: done",
    "vault event PocketOpened",
    "vault event PocketResolved",
    "vault event ProfitShared",
    "vault event OrderRefused",
    "vault event MarketRemoved",
)


def test_random_games_with_a_vault():
    bench = TwinBench()
    seen: Counter[str] = Counter()
    # The same games at every run: what fails on one machine fails on all. New ones are for `make fuzz-vault`.
    for seed in range(GAMES):
        seen.update(play(bench, Random(seed), STEPS).outcomes)
    assert not [outcome for outcome in SEEN if seen[outcome] == 0]
    assert seen["vault event EpochSettled"] >= 2 * GAMES
    assert seen["vault event Ordered"] >= 2 * GAMES
