"""A vault keeps the rules of its standards, by their texts: ERC-20, ERC-2612, ERC-165, ERC-4626, ERC-7540, ERC-7575.

Amounts are random; prices stand still where a test does not say, so that what comes out can be held against what went
in.
"""

from random import Random

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.testing.differential import ACTORS, Bench, address_of, key_of
from perennial.testing.market import refused
from perennial.testing.vault import NOW, opened

UNIT = 10**6
NOBODY = "0x" + "0" * 40
ALICE, BOB, CAROL, DAVE, ERIN, FRANK = map(address_of, ACTORS)
FORMS = ("deposit", "mint", "withdraw", "redeem")
SEEDS = range(8)

few = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def protocol():
    """The protocol in an EVM of its own: its clock is set."""
    return Bench()


@pytest.fixture
def vault(protocol):
    """A bench with a vault over two markets, no fees."""
    with opened(protocol) as opened_:
        yield opened_


@pytest.fixture
def dear(protocol):
    """As vault; orders cost 1 USD and 0.1 % of notional."""
    with opened(protocol, settlementFee="1", makerFee="0.001", positionFee="1") as opened_:
        yield opened_


def usd(rng):
    """Between 50 and a million, with all decimals."""
    return rng.randint(50 * UNIT, 10 ** rng.randint(8, 12))


def crowd(bench, rng, *, profit=True):
    """Some users with shares, after an epoch each; the price of a share is no round number afterwards."""
    for name in rng.sample(ACTORS[:4], 3):
        bench.enter(name, usd(rng))
    if profit:
        venue = bench.venues[0]
        venue.update("frank", taker="1", collateral="1000000")
        bench.commit()
        venue.commit(99_123_457 + rng.randint(0, 10**5))
        venue.update("frank", taker="-1")
        bench.commit()


# -- ERC-165, ERC-7575, ERC-20 metadata --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "supported"),
    [
        ("01ffc9a7", True),  # ERC-165
        ("2f0a18c5", True),  # ERC-7575
        ("e3bc4e65", True),  # operators of ERC-7540
        ("ce3bbe50", True),  # asynchronous deposits
        ("620ee8e4", True),  # asynchronous redemptions
        ("ffffffff", False),
        ("00000000", False),
        ("f815c03d", False),  # a share token apart from its vault
    ],
)
def test_interfaces_are_told(vault, id_, supported):
    assert vault.vault.value("supportsInterface", bytes.fromhex(id_)) is supported


def test_the_vault_is_its_own_share(vault):
    assert vault.vault.value("share") == vault.vault.address
    assert vault.vault.value("asset") == vault.token.address
    assert vault.vault.value("decimals") == vault.token.value("decimals") + 6


# -- ERC-7540: requests ------------------------------------------------------------------------------------------------


@few
@given(amount=st.integers(0, 2**256 - 1), caller=st.sampled_from((NOBODY, ALICE)))
def test_nothing_can_be_previewed(protocol, amount, caller):
    with opened(protocol) as vault:
        for name in ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"):
            with refused("Asynchronous"):
                vault.vault.send(name, amount, sender=caller)


def states(vault, kind, id_, controller):
    """Pending and claimable of a request, whoever asks."""
    found = set()
    for caller in {NOBODY, ALICE, controller} - {vault.vault.address}:
        pending = vault.vault.send(f"pending{kind}Request", id_, controller, sender=caller)[0]
        claimable = vault.vault.send(f"claimable{kind}Request", id_, controller, sender=caller)[0]
        found.add((pending, claimable))
    (state,) = found
    return state


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deposit_is_pending_then_claimable_then_claimed(vault, seed):
    rng = Random(seed)
    crowd(vault, rng)
    assets, before = usd(rng), vault.tokens("erin")
    id_ = vault.request("erin", assets)

    # The tokens have gone; no shares have come.
    assert vault.tokens("erin") == before - assets
    assert states(vault, "Deposit", id_, ERIN) == (assets, 0)
    assert vault.vault.value("maxDeposit", ERIN) == vault.vault.value("maxMint", ERIN) == 0
    with refused("ExceedsClaimable", 1, 0):
        vault.vault.send("deposit", 1, ERIN, ERIN, sender=ERIN)
    with refused("ExceedsClaimable", 1, 0):
        vault.vault.send("mint", 1, ERIN, ERIN, sender=ERIN)

    vault.close()
    assert states(vault, "Deposit", id_, ERIN) == (assets, 0)
    vault.commit()
    vault.settle()
    # It is claimable, and nothing is pushed.
    assert states(vault, "Deposit", id_, ERIN) == (0, assets)
    assert vault.vault.value("maxDeposit", ERIN) == vault.vault.value("claimableDepositRequest", 0, ERIN) == assets
    assert vault.shares("erin") == 0

    shares, supply = vault.vault.value("maxMint", ERIN), vault.vault.value("totalSupply")
    assert vault.claim("erin") == shares == vault.shares("erin") > 0
    assert states(vault, "Deposit", id_, ERIN) == (0, 0)
    assert vault.vault.value("maxDeposit", ERIN) == vault.vault.value("maxMint", ERIN) == 0
    # Claiming moves shares and no tokens.
    assert vault.vault.value("totalSupply") == supply
    assert vault.tokens("erin") == before - assets
    vault.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_redemption_is_pending_then_claimable_then_claimed(vault, seed):
    rng = Random(seed)
    vault.enter("erin", usd(rng))
    crowd(vault, rng)
    held, supply = vault.shares("erin"), vault.vault.value("totalSupply")
    shares = rng.randint(1, held)
    id_ = vault.leave("erin", shares)

    # The shares have left their owner.
    assert vault.shares("erin") == held - shares
    assert states(vault, "Redeem", id_, ERIN) == (shares, 0)
    assert vault.vault.value("maxRedeem", ERIN) == vault.vault.value("maxWithdraw", ERIN) == 0
    with refused("ExceedsClaimable", 1, 0):
        vault.vault.send("redeem", 1, ERIN, ERIN, sender=ERIN)

    vault.close()
    assert states(vault, "Redeem", id_, ERIN) == (shares, 0)
    before = vault.tokens("erin")
    vault.commit()
    vault.settle()
    # They are burned; the tokens wait to be fetched.
    assert states(vault, "Redeem", id_, ERIN) == (0, shares)
    assert vault.vault.value("totalSupply") == supply - shares
    assert vault.vault.value("maxRedeem", ERIN) == vault.vault.value("claimableRedeemRequest", 0, ERIN) == shares
    assert vault.tokens("erin") == before

    assets = vault.vault.value("maxWithdraw", ERIN)
    assert vault.cash("erin") == assets
    assert vault.tokens("erin") == before + assets
    assert states(vault, "Redeem", id_, ERIN) == (0, 0)
    assert vault.vault.value("maxRedeem", ERIN) == vault.vault.value("maxWithdraw", ERIN) == 0
    vault.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_requests_of_an_epoch_are_fungible(dear, seed):
    rng = Random(seed)
    dear.enter("alice", usd(rng))
    dear.enter("bob", usd(rng))
    assets = {name: usd(rng) for name in ("carol", "dave", "erin")}
    shares = {name: rng.randint(10**12, dear.shares(name)) for name in ("alice", "bob")}
    ids = {dear.request(name, amount) for name, amount in assets.items()}
    ids |= {dear.leave(name, amount) for name, amount in shares.items()}
    # More of the same is the same request.
    ids.add(dear.request("carol", 50 * UNIT))
    assets["carol"] += 50 * UNIT
    (id_,) = ids
    dear.turn()

    gross, minted = dear.vault.read("depositRate", id_)
    assert gross == sum(assets.values())
    for name, amount in assets.items():
        assert dear.vault.value("maxMint", address_of(name)) == amount * minted // gross
    redeemed, paid, unfilled = dear.vault.read("redeemRate", id_)
    assert redeemed == sum(shares.values())
    assert unfilled == 0
    for name, amount in shares.items():
        assert dear.vault.value("maxWithdraw", address_of(name)) == amount * paid // redeemed
    dear.check()


def test_what_cannot_be_taken_whole_is_refused(vault):
    vault.token.send("approve", vault.vault.address, 100 * UNIT, sender=ALICE)
    with refused("ERC20InsufficientAllowance", vault.vault.address, 100 * UNIT, 100 * UNIT + 1):
        vault.vault.send("requestDeposit", 100 * UNIT + 1, ALICE, ALICE, sender=ALICE)
    assert vault.vault.send("requestDeposit", 100 * UNIT, ALICE, ALICE, sender=ALICE) == (1,)
    vault.turn()
    shares = vault.claim("alice")
    with refused("ERC20InsufficientBalance", ALICE, shares, shares + 1):
        vault.vault.send("requestRedeem", shares + 1, ALICE, ALICE, sender=ALICE)


def test_views_of_requests_never_revert(vault):
    for id_ in (0, 1, 2, 2**32, 2**256 - 1):
        for controller in (NOBODY, ALICE, vault.vault.address):
            assert states(vault, "Deposit", id_, controller) == states(vault, "Redeem", id_, controller) == (0, 0)
    for name in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert vault.vault.value(name, NOBODY) == 0


# -- ERC-7540: operators and allowances --------------------------------------------------------------------------------


def test_operators_act_for_who_made_them_and_for_nobody_else(vault):
    send = vault.vault.send
    vault.enter("alice", 1_000 * UNIT)
    assert send("setOperator", BOB, True, sender=ALICE) == (True,)
    assert vault.vault.events() == [("OperatorSet", (ALICE, BOB, True))]
    assert vault.vault.value("isOperator", ALICE, BOB) is True
    assert vault.vault.value("isOperator", BOB, ALICE) is False

    send("requestDeposit", 50 * UNIT, ALICE, ALICE, sender=BOB)
    send("requestRedeem", 10**12, ALICE, ALICE, sender=BOB)
    vault.turn()
    send("deposit", 50 * UNIT, CAROL, ALICE, sender=BOB)
    send("redeem", 10**12, CAROL, ALICE, sender=BOB)
    assert vault.shares("carol") > 0

    assert send("setOperator", BOB, False, sender=ALICE) == (True,)
    assert vault.vault.value("isOperator", ALICE, BOB) is False
    for function, arguments in (
        ("requestDeposit", (50 * UNIT, ALICE, ALICE)),
        ("deposit", (0, BOB, ALICE)),
        ("mint", (0, BOB, ALICE)),
        ("withdraw", (0, BOB, ALICE)),
        ("redeem", (0, BOB, ALICE)),
    ):
        with refused("NotOperator", ALICE, BOB):
            send(function, *arguments, sender=BOB)
    with refused("ERC20InsufficientAllowance", BOB, 0, 1):
        send("requestRedeem", 1, ALICE, ALICE, sender=BOB)


def test_an_allowance_of_shares_is_for_redemptions_only_and_is_used_up(vault):
    send = vault.vault.send
    vault.enter("alice", 1_000 * UNIT)
    send("approve", BOB, 10**12, sender=ALICE)
    with refused("NotOperator", ALICE, BOB):
        send("requestDeposit", 50 * UNIT, ALICE, ALICE, sender=BOB)
    send("requestRedeem", 4 * 10**11, BOB, ALICE, sender=BOB)
    assert vault.vault.value("allowance", ALICE, BOB) == 6 * 10**11
    with refused("ERC20InsufficientAllowance", BOB, 6 * 10**11, 6 * 10**11 + 1):
        send("requestRedeem", 6 * 10**11 + 1, BOB, ALICE, sender=BOB)

    # One without limit is not used up, an operator needs none.
    send("approve", BOB, 2**256 - 1, sender=ALICE)
    send("requestRedeem", 10**11, BOB, ALICE, sender=BOB)
    assert vault.vault.value("allowance", ALICE, BOB) == 2**256 - 1
    send("approve", BOB, 5, sender=ALICE)
    send("setOperator", BOB, True, sender=ALICE)
    send("requestRedeem", 10**11, BOB, ALICE, sender=BOB)
    assert vault.vault.value("allowance", ALICE, BOB) == 5


def test_the_controller_claims_not_the_owner(vault):
    vault.request("alice", 100 * UNIT, "bob")
    vault.turn()
    assert vault.vault.value("maxDeposit", ALICE) == 0
    with refused("NotOperator", BOB, ALICE):
        vault.vault.send("deposit", 100 * UNIT, ALICE, BOB, sender=ALICE)
    # The two forms of ERC-4626 are those of the caller as its own controller.
    assert vault.vault.send("deposit", 40 * UNIT, CAROL, sender=BOB)[0] == vault.shares("carol")
    rest = vault.vault.value("maxMint", BOB)
    assert vault.vault.send("mint", rest, CAROL, sender=BOB) == (60 * UNIT,)
    assert vault.vault.value("maxMint", BOB) == 0


# -- ERC-4626: claims --------------------------------------------------------------------------------------------------


def claimable(vault, rng):
    """Erin with both kinds of claims of random size."""
    vault.enter("erin", usd(rng))
    crowd(vault, rng)
    vault.request("erin", usd(rng))
    vault.leave("erin", rng.randint(10**10, vault.shares("erin")))
    vault.turn()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", FORMS)
def test_the_most_that_is_said_can_be_claimed_and_no_more(dear, form, seed):
    claimable(dear, Random(seed))
    limit = dear.vault.value(f"max{form.capitalize()}", ERIN)
    assert limit > 0
    with refused("ExceedsClaimable", limit + 1, limit):
        dear.vault.send(form, limit + 1, ERIN, ERIN, sender=ERIN)
    dear.vault.send(form, limit, ERIN, ERIN, sender=ERIN)
    assert dear.vault.value(f"max{form.capitalize()}", ERIN) == 0
    dear.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_claims_in_parts_and_in_any_form_never_give_more(dear, seed):
    rng = Random(seed)
    claimable(dear, rng)
    value = dear.vault.value
    for give, take in (("deposit", "mint"), ("redeem", "withdraw")):
        # Claims on shares: assets in, shares out. Claims on assets: shares in, assets out.
        whole_in, whole_out = value(f"max{give.capitalize()}", ERIN), value(f"max{take.capitalize()}", ERIN)
        got = used = 0
        for _ in range(6):
            left_in, left_out = value(f"max{give.capitalize()}", ERIN), value(f"max{take.capitalize()}", ERIN)
            if rng.random() < 0.5:
                part = rng.randint(0, left_in)
                (out,) = dear.vault.send(give, part, ERIN, ERIN, sender=ERIN)
            else:
                out = rng.randint(0, left_out)
                (part,) = dear.vault.send(take, out, ERIN, ERIN, sender=ERIN)
            # In favour of what stays.
            assert out * left_in <= part * left_out
            got, used = got + out, used + part
            assert value(f"max{give.capitalize()}", ERIN) == left_in - part
            assert value(f"max{take.capitalize()}", ERIN) == left_out - out
        assert got * whole_in <= used * whole_out
        # What is left can be had, to the last unit.
        rest = value(f"max{take.capitalize()}", ERIN)
        dear.vault.send(take, rest, ERIN, ERIN, sender=ERIN)
        assert got + rest == whole_out
    dear.check()


@pytest.mark.parametrize("decimals", [6, 18])
@pytest.mark.parametrize("fees", [{}, {"settlementFee": "1", "makerFee": "0.001", "positionFee": "1"}])
@pytest.mark.parametrize("seed", range(4))
def test_a_round_trip_never_profits(protocol, decimals, fees, seed):
    rng = Random(seed)
    with opened(protocol, decimals=decimals, **fees) as vault:
        if seed:
            vault.enter("alice", usd(rng))
            vault.enter("bob", usd(rng))
        others = vault.shares("alice") + vault.shares("bob")
        worth = vault.vault.value("convertToAssets", others)
        first = vault.tokens("erin")
        for _ in range(3):
            before = vault.tokens("erin")
            vault.enter("erin", usd(rng))
            vault.leave("erin")
            vault.turn()
            vault.cash("erin")
            assert vault.tokens("erin") <= before
        # Nor has anybody else paid for it: at leverage 4 and a fee of 0.1 % at most 0.4 % of what it costs who does it
        # (tests/properties/test_vault_adversary.py).
        lost = worth - vault.vault.value("convertToAssets", others)
        assert lost * 1_000 <= 4 * (first - vault.tokens("erin"))
        vault.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_conversions_round_down_for_everybody_alike(vault, seed):
    rng = Random(seed)
    crowd(vault, rng)

    def convert(name, amount):
        (result,) = {vault.vault.send(name, amount, sender=caller)[0] for caller in (NOBODY, ALICE, FRANK)}
        return result

    supply, assets = vault.vault.value("totalSupply"), vault.assets()
    assert convert("convertToShares", 0) == convert("convertToAssets", 0) == 0
    assert convert("convertToAssets", supply) <= assets
    for _ in range(20):
        amount = rng.randint(0, 10 ** rng.randint(1, 30))
        shares, back = convert("convertToShares", amount), convert("convertToAssets", amount)
        assert shares == amount * (supply + UNIT) // (assets + 1)
        assert back == amount * (assets + 1) // (supply + UNIT)
        assert convert("convertToAssets", shares) <= amount
        assert convert("convertToShares", back) <= amount
        assert convert("convertToShares", amount + 1) >= shares
    # What is reasonable does not overflow.
    assert convert("convertToShares", 2**128) > 0
    assert convert("convertToAssets", 2**160) > 0


# -- Events ------------------------------------------------------------------------------------------------------------


def test_events_say_what_the_standards_say(vault):
    emitted = vault.vault.events
    vault.vault.send("setOperator", BOB, True, sender=ALICE)
    vault.vault.send("requestDeposit", 100 * UNIT, CAROL, ALICE, sender=BOB)
    assert emitted() == [("DepositRequest", (CAROL, ALICE, 1, BOB, 100 * UNIT))]
    vault.turn()
    shares = vault.vault.value("maxMint", CAROL)
    address = vault.vault.address

    # The first is the controller, the second the receiver.
    vault.vault.send("deposit", 100 * UNIT, DAVE, CAROL, sender=CAROL)
    assert emitted() == [("Transfer", (address, DAVE, shares)), ("Deposit", (CAROL, DAVE, 100 * UNIT, shares))]

    vault.vault.send("setOperator", BOB, True, sender=DAVE)
    vault.vault.send("requestRedeem", shares, CAROL, DAVE, sender=BOB)
    assert emitted() == [("Transfer", (DAVE, address, shares)), ("RedeemRequest", (CAROL, DAVE, 2, BOB, shares))]
    vault.close()
    vault.commit()
    vault.settle()
    # Redeemed shares are burned.
    assert ("Transfer", (address, NOBODY, shares)) in emitted()

    assets = vault.vault.value("maxWithdraw", CAROL)
    vault.vault.send("setOperator", BOB, True, sender=CAROL)
    vault.vault.send("withdraw", assets, ERIN, CAROL, sender=BOB)
    assert emitted() == [("Withdraw", (BOB, ERIN, CAROL, assets, shares))]


# -- ERC-20 ------------------------------------------------------------------------------------------------------------


def test_shares_are_an_erc20(vault):
    vault.enter("alice", 100 * UNIT)
    send, emitted, held = vault.vault.send, vault.vault.events, vault.shares("alice")
    assert send("transfer", BOB, 0, sender=ALICE) == (True,)
    assert emitted() == [("Transfer", (ALICE, BOB, 0))]
    assert send("transfer", ALICE, held, sender=ALICE) == (True,)
    assert vault.shares("alice") == held
    assert send("transfer", BOB, 1_000, sender=ALICE) == (True,)
    assert (vault.shares("alice"), vault.shares("bob")) == (held - 1_000, 1_000)
    with refused("ERC20InsufficientBalance", BOB, 1_000, 1_001):
        send("transfer", ALICE, 1_001, sender=BOB)
    with refused("ERC20InvalidReceiver", NOBODY):
        send("transfer", NOBODY, 1, sender=ALICE)

    assert send("approve", BOB, 600, sender=ALICE) == (True,)
    assert emitted() == [("Approval", (ALICE, BOB, 600))]
    assert send("transferFrom", ALICE, CAROL, 400, sender=BOB) == (True,)
    assert (vault.shares("carol"), vault.vault.value("allowance", ALICE, BOB)) == (400, 200)
    with refused("ERC20InsufficientAllowance", BOB, 200, 201):
        send("transferFrom", ALICE, CAROL, 201, sender=BOB)
    vault.check()


# -- ERC-2612 ----------------------------------------------------------------------------------------------------------


def permit(vault, owner, spender, value, *, nonce=0, deadline=NOW, **domain):
    """The arguments of a signed permit."""
    fields = {"owner": "address", "spender": "address", "value": "uint256", "nonce": "uint256", "deadline": "uint256"}
    message = encode_typed_data(
        domain_data={
            "name": "Perennial Vault",
            "version": "1",
            "chainId": vault.evm.chain_id,
            "verifyingContract": vault.vault.address,
        }
        | domain,
        message_types={"Permit": [{"name": name, "type": kind} for name, kind in fields.items()]},
        message_data={
            "owner": address_of(owner),
            "spender": spender,
            "value": value,
            "nonce": nonce,
            "deadline": deadline,
        },
    )
    signed = EthAccount.sign_message(message, key_of(owner).key)
    r, s = signed.r.to_bytes(32), signed.s.to_bytes(32)
    return address_of(owner), spender, value, deadline, signed.v, r, s


def test_a_permit_allows_once_until_it_expires(vault):
    send, value = vault.vault.send, vault.vault.value
    vault.enter("alice", 100 * UNIT)
    signed = permit(vault, "alice", BOB, 10**12)
    send("permit", *signed, sender=CAROL)
    assert vault.vault.events() == [("Approval", (ALICE, BOB, 10**12))]
    assert (value("allowance", ALICE, BOB), value("nonces", ALICE)) == (10**12, 1)
    # What it allows is of use at once.
    send("requestRedeem", 10**12, BOB, ALICE, sender=BOB)
    assert value("allowance", ALICE, BOB) == 0

    with pytest.raises(Exception, match="ERC2612InvalidSigner"):
        send("permit", *signed, sender=BOB)
    with refused("ERC2612ExpiredSignature", NOW - 1):
        send("permit", *permit(vault, "alice", BOB, 1, nonce=1, deadline=NOW - 1), sender=BOB)
    assert value("nonces", ALICE) == 1
    send("permit", *permit(vault, "alice", BOB, 7, nonce=1, deadline=2**256 - 1), sender=BOB)
    assert value("allowance", ALICE, BOB) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": 1},
        {"chainId": 2},
        {"verifyingContract": ALICE},
        {"version": "2"},
        {"name": "LP"},
    ],
)
def test_a_permit_is_for_one_vault_on_one_chain(vault, wrong):
    with pytest.raises(Exception, match="ERC2612InvalidSigner"):
        vault.vault.send("permit", *permit(vault, "alice", BOB, 1, **wrong), sender=BOB)
    assert vault.vault.value("allowance", ALICE, BOB) == 0


def test_a_permit_of_somebody_else_allows_nothing(vault):
    _, *rest = permit(vault, "bob", CAROL, 1)
    with pytest.raises(Exception, match="ERC2612InvalidSigner"):
        vault.vault.send("permit", ALICE, *rest, sender=CAROL)
