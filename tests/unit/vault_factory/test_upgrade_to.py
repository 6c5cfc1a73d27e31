"""VaultFactory.upgradeTo, and whose it is."""

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
    other = bench.evm.deploy("VaultFactory", bench.owner, registry, sender=bench.owner).address
    epochs = bench.evm.deploy("VaultEpochs", registry, sender=bench.owner).address
    elsewhere = bench.protocol.oracles.address
    strange = bench.evm.deploy("VaultEpochs", elsewhere, sender=bench.owner).address
    for parts in ((other, registry, epochs), (bench.factory.address, elsewhere, strange)):
        foreign = bench.evm.deploy("Vault", *parts, sender=bench.owner).address
        with refused("InvalidImplementation", foreign):
            bench.factory.send("upgradeTo", foreign, sender=bench.owner)


def test_code_of_epochs_for_another_registry(bench):
    """A vault with it would take markets from one registry, and ask another whether it is paused."""
    elsewhere = bench.protocol.oracles.address
    epochs = bench.evm.deploy("VaultEpochs", elsewhere, sender=bench.owner).address

    with refused("ForeignCode", epochs, elsewhere):
        bench.evm.deploy("Vault", bench.factory.address, bench.protocol.factory.address, epochs, sender=bench.owner)


def test_there_is_always_an_owner(bench):
    with refused("OwnableUnauthorizedAccount", ALICE):
        bench.factory.send("renounceOwnership", sender=ALICE)
    with refused("OwnerRequired"):
        bench.factory.send("renounceOwnership", sender=bench.owner)
    assert bench.factory.value("owner").lower() == bench.owner.lower()
