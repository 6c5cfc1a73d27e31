"""VaultFactory.create."""

from perennial.testing.differential import address_of
from perennial.testing.market import refused

ALICE = address_of("alice")
PARAMETER = (1, 2**90, 0, 50_000)


def test_anyone_makes_a_vault_and_coordinates_it(bench):
    (address,) = bench.factory.send("create", bench.token.address, "LP of Alice", "aLP", PARAMETER, sender=ALICE)
    created = bench.factory.events()[0]
    vault = bench.evm.contract("Vault", address)

    assert created == ("VaultCreated", (address, ALICE, bench.token.address))
    assert vault.value("coordinator") == ALICE
    assert vault.value("asset") == bench.token.address
    assert vault.read("parameter") == PARAMETER
    assert bench.factory.value("vaultCount") == 2
    assert bench.factory.value("vaults", 1) == address
    assert bench.factory.value("isVault", address) is True
    assert bench.factory.value("isVault", ALICE) is False
    assert vault.read("epochs") == (1, 1, 0, 0, 0, 0)


def test_a_token_has_six_to_eighteen_decimals(bench):
    for decimals in (5, 19):
        token = bench.evm.deploy("MockToken", "Mock", "M", decimals, sender=bench.owner).address
        with refused("UnsupportedDecimals", token, decimals):
            bench.factory.send("create", token, "x", "x", PARAMETER, sender=ALICE)


def test_parameters_are_checked(bench):
    with refused("ParameterOutOfBounds", "tolerance", 0, 10_000):
        bench.factory.send("create", bench.token.address, "x", "x", (1, 1, 0, 0), sender=ALICE)
