"""VaultFactory.upgradeTo."""

from perennial.testing.differential import address_of
from perennial.testing.market import refused

ALICE = address_of("alice")


def test_the_owner_sets_the_code_of_all_vaults(bench):
    registry = bench.protocol.factory.address
    epochs = bench.evm.deploy("VaultEpochs", registry, sender=bench.owner).address
    code = bench.evm.deploy("Vault", bench.factory.address, registry, epochs, sender=bench.owner).address

    bench.factory.send("upgradeTo", code, sender=bench.owner)

    assert bench.factory.events() == [("Upgraded", (code,))]
    assert bench.factory.value("implementation") == code
    assert bench.vault.value("epochCode") == epochs
    assert bench.factory.value("marketFactory") == registry


def test_nobody_else(bench):
    with refused("OwnableUnauthorizedAccount", ALICE):
        bench.factory.send("upgradeTo", ALICE, sender=ALICE)


def test_the_code_must_be_made_for_this_factory(bench):
    with refused("InvalidImplementation", ALICE):
        bench.factory.send("upgradeTo", ALICE, sender=bench.owner)
    registry = bench.protocol.factory.address
    foreign = bench.evm.deploy("Vault", ALICE, registry, registry, sender=bench.owner).address
    with refused("InvalidImplementation", foreign):
        bench.factory.send("upgradeTo", foreign, sender=bench.owner)
