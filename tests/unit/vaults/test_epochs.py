"""A vault over two markets: what is asked for, what each request waits for, what comes of it."""

from decimal import Decimal

import pytest

from perennial.amounts import raw
from perennial.client import InputError, Protocol, Refused
from perennial.client.records import moment
from perennial.local import FREE
from perennial.vaults import Definition, MarketTerms

ONE = Decimal(1)


def statuses(vault, account):
    return [(each.kind, each.epoch, each.amount, each.status) for each in vault.requests(account).requests]


def test_a_deposit_from_request_to_shares(vault, world, depositor, keeper):
    asked = vault.deposit(depositor, "1000")
    assert (asked.epoch, asked.amount, asked.approved) == (1, 1000, 1000)
    assert asked.status == "waits for epoch 1 to be closed"
    assert statuses(vault, depositor) == [("deposit", 1, 1000, "waits for epoch 1 to be closed")]

    closed = vault.close_epoch(keeper)
    version = moment(world.current)
    waits = f"epoch 1 waits for version {version} of BTC-USD, version {version} of ETH-USD"
    assert (closed.epoch, closed.deposits, closed.status) == (1, 1000, waits)
    assert {order.market: order.delta for order in closed.orders} == {
        "BTC-USD": Decimal("0.025"),  # 750 at 2x by 60,000
        "ETH-USD": Decimal("0.333333"),  # 250 at 4x by 3,000, rounded down
    }
    assert statuses(vault, depositor) == [("deposit", 1, 1000, waits)]
    with pytest.raises(InputError, match="epoch 1 waits for version"):
        vault.settle(keeper)

    world.commit()
    (status,) = vault.requests(depositor).requests
    assert status.status == "epoch 1 can be settled: anyone may, and closing the next one does it, too"
    settled = vault.settle(keeper)
    charged = sum(order.charge for order in closed.orders)
    assert charged > 0
    assert (settled.epoch, settled.share_price, settled.minted) == (1, ONE, 1000 - charged)

    (status,) = vault.requests(depositor).requests
    assert (status.kind, status.claimable, status.amount) == ("shares", True, 1000 - charged)
    assert status.status == f"claimable: {1000 - charged:.2f} shares for 1,000.00 mUSD"
    claimed = vault.claim(depositor)
    assert (claimed.shares, claimed.assets, claimed.returned) == (1000 - charged, 0, 0)
    assert len(claimed.transactions) == 1
    found = vault.requests(depositor)
    assert (found.shares, found.requests) == (1000 - charged, ())
    assert vault.claim(depositor).transactions == ()


def test_what_if_is_what_happens(vault, world, depositor, keeper, turn):
    vault.deposit(world.local.long, "50000")
    turn()
    expected = vault.what_if_deposit("20000")
    vault.deposit(depositor, "20000")
    closed = vault.close_epoch(keeper)
    world.commit()
    settled = vault.settle(keeper)

    assert expected.orders == closed.orders
    assert expected.shares == vault.claim(depositor).shares > 0
    assert expected.share_price == settled.share_price
    assert expected.cost > 0
    assert expected.note is None


def test_a_price_move_is_what_happens(vault, world, depositor, turn):
    vault.deposit(depositor, "50000")
    turn()
    market, long = world.markets["BTC-USD"], world.local.long
    market.update(long, 0, raw(5), raw(100_000), "0x" + "0" * 40, sender=long, **FREE)
    world.commit()
    before, expected = vault.info(), vault.what_if_price("10", "BTC-USD")
    assert expected.markets == ("BTC-USD",)
    assert (expected.share_price, expected.change) == (before.share_price, Decimal("0.1"))
    assert vault.what_if_price("10").markets == ("BTC-USD", "ETH-USD")
    world.commit(BTC=raw(66_000))
    after = vault.info()

    # Makers are short where takers are long: the vault loses, by the same number to the last digit.
    assert after.share_price == expected.share_price_then < before.share_price
    assert after.total_assets == expected.assets_then
    assert expected.share_change == (
        (expected.share_price_then - expected.share_price) / expected.share_price
    ).quantize(Decimal(1).scaleb(-18), "ROUND_FLOOR")
    assert expected.liquidatable == ()


def test_redemption(vault, world, depositor, keeper, turn):
    vault.deposit(depositor, "1000")
    turn()
    with pytest.raises(InputError, match=r"holds no shares of .*; 99\d\.\d+ more can be claimed first"):
        vault.redeem(depositor)
    vault.claim(depositor)
    held = vault.requests(depositor).shares
    with pytest.raises(InputError, match=r"holds 99\d\.\d+ shares"):
        vault.redeem(depositor, "1001")

    asked = vault.redeem(depositor)
    assert (asked.kind, asked.amount, asked.epoch, asked.status) == (
        "redemption",
        held,
        2,
        "waits for epoch 2 to be closed",
    )
    settled = turn()
    (status,) = vault.requests(depositor).requests
    assert status.status.startswith(f"claimable: {settled.paid:.2f}")
    before = world.local.token.balanceOf(depositor)
    claimed = vault.claim(depositor)
    assert claimed.assets == settled.paid
    assert world.local.token.balanceOf(depositor) - before == int(claimed.assets.scaleb(18))
    assert vault.requests(depositor).requests == ()
    with pytest.raises(InputError, match="no epoch is closed and unsettled"):
        vault.settle(keeper)


def test_allocation_and_totals(vault, depositor, turn):
    vault.deposit(depositor, "10000")
    turn()
    info = vault.info()
    btc, eth = info.markets

    assert (btc.market, btc.weight, btc.part, btc.target_leverage) == ("BTC-USD", 3, Decimal("0.75"), 2)
    assert (eth.market, eth.weight, eth.part, eth.target_leverage) == ("ETH-USD", 1, Decimal("0.25"), 4)
    assert btc.size == btc.pending_size == Decimal("0.25")  # 7,500 · 2 / 60,000
    assert eth.size == Decimal("3.333333")  # 2,500 · 4 / 3,000, rounded down
    assert 0 < btc.target_size < btc.size  # The targets are of what the fees have left.
    assert btc.target_collateral + eth.target_collateral <= info.total_assets
    assert (btc.note, btc.tradable) == (None, True)
    assert info.total_assets == info.idle + btc.collateral + eth.collateral
    assert info.share_price == ONE
    assert info.total_shares == info.total_assets
    assert (info.min_deposit, info.deposit_cap, info.profit_share) == (100, 1_000_000, Decimal("0.1"))
    assert (info.open_epoch, info.closed_epoch, info.insolvent) == (2, None, False)
    assert info.to_dict()["markets"][0]["size"] == "0.250000"


def test_a_stale_market_is_said_to_take_no_orders(vault, world, depositor, turn):
    vault.deposit(depositor, "1000")
    turn()
    owner, oracle = world.local.owner, world.oracles["ETH-USD"]
    oracle.setCurrent(world.current + 10_000, sender=owner, **FREE)
    notes = [each.note for each in vault.info().markets]
    assert notes == [None, "no fresh price: it takes no orders"]
    outcome = vault.what_if_deposit("500")
    assert (outcome.shares, outcome.note) == (0, "deposits wait: a market is stuck or has no fresh price")


def test_where_nothing_was_ordered_a_fresh_price_is_waited_for(vault, world, depositor, keeper, turn):
    """A redemption that is not worth an order: the version has come, but its price is old by now."""
    vault.deposit(depositor, "1000")
    turn()
    vault.claim(depositor)
    vault.redeem(depositor, "1")
    assert vault.close_epoch(keeper).orders == ()
    version, oracle = world.current, world.oracles["ETH-USD"]
    world.skip("BTC-USD")
    oracle.set(version, oracle.status()[0][1], True, version + 10_000, sender=world.local.owner, **FREE)

    with pytest.raises(InputError, match=r"epoch 2 waits for a fresh price of ETH-USD$"):
        vault.settle(keeper)
    assert [each.note for each in vault.info().markets] == [None, "waits for a fresh price"]
    world.commit()
    assert vault.settle(keeper).epoch == 2


def test_a_deposit_that_is_taken_back(vault, world, depositor, keeper):
    with pytest.raises(Refused, match="NothingToRecall"):
        vault.recall(depositor)
    before = world.local.token.balanceOf(depositor)
    vault.deposit(depositor, "1000")
    vault.deposit(depositor, "500")
    found = vault.recall(depositor)

    assert (found.account, found.epoch, found.assets) == (depositor.address, 1, 1500)
    assert world.local.token.balanceOf(depositor) == before
    assert vault.requests(depositor).requests == ()
    # For an operator's account, to somebody else.
    vault.deposit(depositor, "1000")
    vault.approve_operator(depositor, keeper.address)
    held = world.local.token.balanceOf(world.local.short)
    vault.recall(keeper, of=depositor, receiver=world.local.short.address)
    assert world.local.token.balanceOf(world.local.short) == held + 1000 * 10**18
    # What is closed stays.
    vault.deposit(depositor, "1000")
    vault.close_epoch(keeper)
    with pytest.raises(Refused, match="NothingToRecall"):
        vault.recall(depositor)


def test_what_was_closed_for_all_is_said_to_rest(vault, world, depositor, keeper, turn):
    vault.deposit(depositor, "100000")
    turn()
    world.commit(BTC=raw(80_000))
    vault.rebalance(keeper)
    world.commit(BTC=raw(60_000))
    vault.settle(keeper)

    btc, eth = vault.info().markets
    assert btc.note is not None
    assert btc.note.startswith("grows by deposits alone until ")
    assert eth.note is None
    assert btc.target_size > btc.size * Decimal("1.1")


def test_prices_and_growth(vault, world, chain, depositor, turn):
    vault.deposit(depositor, "1000")
    turn()
    with pytest.raises(InputError, match="two settled epochs"):
        vault.apy()
    chain.provider.set_timestamp(chain.blocks.head.timestamp + 7 * 86_400)
    vault.deposit(world.local.long, "1000")
    turn()
    prices = vault.prices()
    growth = vault.apy("30d")

    assert [each.epoch for each in prices] == [1, 2]
    assert prices[1].time - prices[0].time >= 7 * 86_400
    assert (growth.from_epoch, growth.to_epoch) == (1, 2)
    assert (growth.from_price, growth.to_price) == (prices[0].share_price, prices[1].share_price)
    assert growth.growth == prices[1].share_price - 1
    assert "nothing promises" in growth.meaning
    assert vault.prices(prices[1].block) == prices[1:]
    with pytest.raises(InputError, match="since: -1 is no number of a block"):
        vault.prices(-1)


def test_what_is_refused_before_anything_is_sent(vault, depositor, world):
    with pytest.raises(InputError, match=r"takes deposits of 100.00 mUSD and more"):
        vault.deposit(depositor, "99")
    with pytest.raises(InputError, match=r"takes 1,000,000.00 mUSD more, up to its cap"):
        vault.deposit(depositor, "1000001")
    with pytest.raises(InputError, match=r"has 0.000000 mUSD, and 100.000000 are needed"):
        vault.deposit(world.local.keeper, "100")
    with pytest.raises(InputError, match="is a float"):
        vault.deposit(depositor, 100.0)
    with pytest.raises(InputError, match="cannot fall by 100"):
        vault.what_if_price("-100")
    with pytest.raises(InputError, match="no market 'SOL-USD'"):
        vault.what_if_price("1", "SOL-USD")
    with pytest.raises(InputError, match="is not in the past"):
        vault.apy("2040-01-01")


def test_what_the_vault_refuses(vault, depositor, keeper):
    with pytest.raises(Refused, match="NothingToClose: The open epoch has no requests"):
        vault.close_epoch(keeper)
    with pytest.raises(Refused, match="NothingToRebalance"):
        vault.rebalance(keeper)
    with pytest.raises(Refused, match="NotCoordinator"):
        vault.register(depositor, "BTC-USD", 1, "2")
    for weight in (-1, 1.5, 2**32):
        with pytest.raises(InputError, match="is not a whole number from 0 to 4,294,967,295"):
            vault.register(keeper, "BTC-USD", weight, "2")


def test_rebalance_after_a_change_of_weights(vault, world, depositor, keeper, turn):
    vault.deposit(depositor, "10000")
    turn()
    sent = vault.register(keeper, "ETH-USD", 3, "4")
    assert sent.what.startswith("changed ETH-USD")
    assert [each.note for each in vault.info().markets] == ["off its target by more than the tolerance"] * 2
    closed = vault.rebalance(keeper)
    # It grows only by what is there: BTC-USD's collateral comes free when its order has settled.
    assert {order.market for order in closed.orders} >= {"BTC-USD"}
    world.commit()
    vault.settle(keeper)
    vault.register(keeper, "ETH-USD", 0, "4")
    assert vault.info().markets[1].target_size == 0
    vault.rebalance(keeper)
    world.commit()
    vault.settle(keeper)
    assert vault.unregister(keeper, "ETH-USD").what.startswith("removed ETH-USD")
    assert [each.market for each in vault.info().markets] == ["BTC-USD"]


def test_a_holding_is_the_sum_of_the_requests(vault, depositor, turn):
    assert vault.holding(depositor).is_empty
    vault.deposit(depositor, "1000")
    assert vault.holding(depositor).waiting_deposits == 1000
    turn()
    minted = vault.holding(depositor).claimable_shares
    assert 0 < minted < 1000
    vault.claim(depositor)
    vault.redeem(depositor, minted / 2)
    found = vault.holding(depositor)
    assert (found.shares, found.waiting_redemptions, found.claimable_shares) == (minted / 2, minted / 2, 0)
    settled = turn()
    assert vault.holding(depositor).claimable_assets == settled.paid


@pytest.mark.parametrize(
    ("verb", "value", "says"),
    [
        ("deposit", 1.5, "assets: 1.5 is a float"),
        ("deposit", "0", "assets: 0 is not more than 0"),
        ("redeem", 1.5, "shares: 1.5 is a float"),
        ("redeem", "none", "shares: 'none' is not a number"),
        ("redeem", "0", "shares: 0 is not more than 0"),
        ("redeem", "0." + "0" * 24 + "1", "has more than 24 decimals"),
        ("redeem", "all", "holds no shares"),
    ],
)
def test_what_cannot_be_meant(vault, depositor, verb, value, says):
    with pytest.raises(InputError, match=says):
        getattr(vault, verb)(depositor, value)


def test_an_operator_acts_for_its_account(vault, world, depositor, turn):
    friend = world.local.short
    vault.approve_operator(depositor, friend)
    vault.deposit(friend, "1000", of=depositor)
    turn()
    claimed = vault.claim(friend, of=depositor, receiver=depositor)
    assert claimed.shares == vault.requests(depositor).shares > 0
    assert vault.redeem(friend, "all", of=depositor).amount == claimed.shares
    vault.approve_operator(depositor, friend, approved=False)
    with pytest.raises(Refused, match="NotOperator"):
        vault.protocol.sender.send(friend, vault.contract.query("deposit", 0, friend.address, depositor.address))
    with pytest.raises(Refused, match="SelfOperator"):
        vault.approve_operator(depositor, depositor)


def test_vaults_of_the_factory(vault, protocol):
    assert vault.address in [each.address for each in protocol.vaults()]
    with pytest.raises(InputError, match="no vault 'LP' on local: there are none by name"):
        protocol.vault("LP")
    with pytest.raises(InputError, match="is no vault of the factory"):
        protocol.vault("0x" + "12" * 20)


def test_a_network_without_vaults(world, chain):
    with Protocol(chain.provider.http_uri, world.local.protocol.market_factory.address) as protocol:
        assert protocol.vaults() == ()
        with pytest.raises(InputError, match="no VaultFactory"):
            protocol.vault("0x" + "12" * 20)


def test_a_vault_is_not_made_over_what_is_not_there(protocol, depositor):
    definition = Definition("mUSD", "Name", "LP", markets=(MarketTerms("SOL-USD", 1, "2"),))
    before = len(protocol.vaults())
    with pytest.raises(InputError, match="no market 'SOL-USD'"):
        protocol.create_vault(depositor, definition)
    with pytest.raises(InputError, match="no token 'EURC': there are mUSD"):
        protocol.create_vault(depositor, Definition("EURC", "Name", "LP"))
    with pytest.raises(InputError, match="one of them is there twice"):
        protocol.create_vault(
            depositor, Definition("mUSD", "Name", "LP", markets=(MarketTerms("BTC-USD", 1, "2"),) * 2)
        )
    assert len(protocol.vaults()) == before


def test_where_a_vault_is_that_was_made_in_part(protocol, depositor):
    definition = Definition("mUSD", "Name", "LP", markets=(MarketTerms("BTC-USD", 1, "101"),))
    with pytest.raises(Refused, match="ParameterOutOfBounds") as refused:
        protocol.create_vault(depositor, definition)
    [note] = refused.value.__notes__
    assert note.startswith(f"The vault is made, at {protocol.vaults()[-1].address}, but BTC-USD is not in it")
