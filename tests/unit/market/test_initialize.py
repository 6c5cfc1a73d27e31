"""Market.initialize: by the factory, once (docs/protocol.md §3.1)."""

from perennial.testing.market import refused, structs


def test_initialize_again(bench, anvil, stranger):
    anvil.rpc("anvil_impersonateAccount", bench.factory.address)
    with refused("AlreadyInitialized"):
        bench.market.initialize(bench.definition(), stranger, *structs(), sender=bench.factory.address)


def test_initialize_by_others(bench, actors):
    for actor in actors.values():
        with refused("NotFactory", actor):
            bench.market.initialize(bench.definition(), actor, *structs(), sender=actor)


def test_market_takes_no_ether(bench, anvil, taker):
    with refused("revert"):
        anvil.rpc("eth_call", {"from": taker.address, "to": bench.market.address, "value": "0x1"}, "latest")
    data = "0x" + bench.market.data("settle", taker).hex()
    with refused("revert"):
        anvil.rpc(
            "eth_call", {"from": taker.address, "to": bench.market.address, "value": "0x1", "data": data}, "latest"
        )


def test_call_of_an_unknown_function(bench, anvil, taker):
    with refused("revert"):
        anvil.call(taker, bench.market.address, bytes.fromhex("deadbeef"))
