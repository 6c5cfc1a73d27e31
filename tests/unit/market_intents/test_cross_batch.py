"""Market.crossBatch (docs/protocol.md §9.2)."""

from perennial.abi import decode_error
from perennial.amounts import raw
from perennial.testing.market import refused


def item(desk, taker, hedger, size, price="100"):
    """A cross of `size`, in which the hedger sells."""
    return (*desk.signed(taker, size), *desk.signed(hedger, f"-{size}"), raw(size), raw(price))


def test_all(desk, taker, hedger, keeper):
    batch = [item(desk, taker, hedger, "1"), item(desk, taker, hedger, "2")]
    desk.bench.market.crossBatch(batch, False, sender=keeper)
    assert desk.bench.market.pendingPositions(taker)[1:] == (0, raw("3"), 0)


def test_nothing_without_all(desk, taker, hedger, keeper):
    batch = [item(desk, taker, hedger, "1"), item(desk, taker, hedger, "2", "101")]
    with refused("WorsePrice", "101", "100"):
        desk.bench.market.crossBatch(batch, False, sender=keeper)
    assert desk.bench.market.pendingCounts(taker) == 0


def test_bad_ones_are_skipped(desk, taker, hedger, keeper):
    """The second intent is worse off: what the first has consumed is undone as well."""
    bench = desk.bench
    bad = item(desk, taker, hedger, "2", "99")
    batch = [item(desk, taker, hedger, "1"), bad, item(desk, taker, hedger, "3")]

    receipt = bench.market.crossBatch(batch, True, sender=keeper)

    skipped = receipt.named("FillSkipped")
    assert [entry["index"] for entry in skipped] == [1]
    assert decode_error(skipped[0]["reason"]).name == "WorsePrice"
    verifier = bench.anvil.contract("Verifier", bench.factory.verifier())
    assert verifier.filled(verifier.hash(bad[0])) == 0
    assert bench.market.pendingPositions(hedger)[1:] == (0, 0, raw("4"))
    bench.commit("101")
    bench.settle()
    bench.check()
