"""Market.fillBatch (docs/protocol.md §9.2)."""

from perennial.abi import decode_error
from perennial.amounts import raw
from perennial.testing.market import refused


def items(desk, taker, hedger):
    """Fills of 1, of too much, and of 2."""
    good, bad, better = desk.signed(taker, "1"), desk.signed(taker, "3"), desk.signed(taker, "2")
    price = raw("100")
    return [
        (*good, raw("1"), price, hedger.address),
        (*bad, raw("4"), price, hedger.address),
        (*better, raw("2"), price, hedger.address),
    ]


def test_all(desk, taker, hedger):
    first, _, last = items(desk, taker, hedger)
    desk.bench.market.fillBatch([first, last], False, sender=hedger)
    assert desk.bench.market.pendingPositions(taker)[1:] == (0, raw("3"), 0)
    assert desk.bench.market.pendingCounts(taker) == desk.bench.market.pendingCount() == 1


def test_nothing_without_all(desk, taker, hedger):
    batch = items(desk, taker, hedger)
    verifier = desk.bench.anvil.contract("Verifier", desk.bench.factory.verifier())
    with refused("OverFilled", verifier.hash(batch[1][0]), "4", "3"):
        desk.bench.market.fillBatch(batch, False, sender=hedger)
    assert desk.bench.market.pendingCounts(taker) == 0
    assert verifier.filled(verifier.hash(batch[0][0])) == 0


def test_bad_ones_are_skipped_and_undone(desk, taker, hedger):
    bench = desk.bench
    batch = items(desk, taker, hedger)
    # Consumed before it fails: the intent must be whole again.
    batch[1] = (*batch[1][:2], raw("3"), raw("89"), hedger.address)

    receipt = bench.market.fillBatch(batch, True, sender=hedger)

    assert [entry.name for entry in receipt.events] == ["IntentFilled", "FillSkipped", "IntentFilled"]
    skipped = receipt.named("FillSkipped")[0]
    assert skipped["index"] == 1
    reason = decode_error(skipped["reason"])
    assert (reason.name, reason.values) == ("PriceTooFar", (raw("89"), raw("100"), raw("0.1")))
    verifier = bench.anvil.contract("Verifier", bench.factory.verifier())
    assert verifier.filled(verifier.hash(batch[1][0])) == 0
    assert bench.market.pendingPositions(taker)[1:] == (0, raw("3"), 0)
    bench.commit("103")
    bench.settle()
    assert bench.market.collateral(taker) == raw("1009")
    bench.check()


def test_each_account_must_be_the_callers(desk, taker, hedger, keeper):
    first, _, _ = items(desk, taker, hedger)
    receipt = desk.bench.market.fillBatch([first], True, sender=keeper)
    assert decode_error(receipt.named("FillSkipped")[0]["reason"]).name == "NotOperator"
    assert desk.bench.market.pendingCounts(taker) == 0


def test_items_cannot_be_called(desk, taker, hedger):
    """What a batch calls for each item is no function of the market's."""
    first, _, _ = items(desk, taker, hedger)
    market = desk.bench.anvil.contract("MarketIntents", desk.bench.market.address)
    with refused("revert"):
        market.fillOne(first, sender=hedger)
