"""What a market packs reads back the same (docs/protocol.md §1.5): fields at their bounds, alone and beside others."""

from random import Random

import pytest


def signed(bits):
    return -(2 ** (bits - 1) - 1), 2 ** (bits - 1) - 1


def unsigned(bits):
    return 0, 2**bits - 1


FLAG = (False, True)
ADDRESS = ("0x" + "0" * 40, "0x" + "f" * 40)
ACCUMULATORS = {"maker": signed(80), "long": signed(80), "short": signed(80)}
SIZES = {"maker": unsigned(64), "long": unsigned(64), "short": unsigned(64)}

#: The least and the largest value of every field of what MockPacking packs; nested structs are dicts.
PACKED = {
    "account": {
        "collateral": signed(64),
        "size": unsigned(63),
        "side": (0, 3),
        "accumulator": signed(80),
        "head": unsigned(16),
        "count": unsigned(16),
        "locked": FLAG,
        "ordered": FLAG,
        "filled": FLAG,
    },
    "order": {
        "timestamp": unsigned(32),
        "opened": unsigned(63),
        "closed": unsigned(63),
        "rate": unsigned(41),
        "change": signed(26),
        "absoluteChange": signed(26),
        "hasTerms": FLAG,
        "referrer": ADDRESS,
        "settlementFee": unsigned(48),
        "referralShare": unsigned(40),
        "hasFills": FLAG,
        "fillSize": signed(64),
        "fillNotional": signed(128),
    },
    "pendingVersion": {
        "timestamp": unsigned(32),
        "maker": signed(72),
        "long": signed(72),
        "short": signed(72),
        "units": unsigned(88),
        "referralUnits": unsigned(88),
        "settlement": unsigned(80),
        "hasOrders": FLAG,
        "hasFills": FLAG,
        "exchanged": signed(72),
        "fillFees": unsigned(128),
    },
    "sums": {"opens": unsigned(63), "closes": unsigned(63), "units": unsigned(86), "settlement": unsigned(44)},
    "settledBook": {"sizes": SIZES, "timestamp": unsigned(32), "head": unsigned(16), "count": unsigned(16)},
    "liquidation": {"liquidator": ADDRESS, "fee": unsigned(48), "timestamp": unsigned(32)},
    "pricing": {
        "price": signed(58),
        "valid": FLAG,
        "fundingRate": signed(54),
        "undistributed": unsigned(62),
        "settlementFees": unsigned(56),
        "protocolFee": unsigned(24),
    },
    "accumulators": ACCUMULATORS,
    "claimableFees": {field: unsigned(64) for field in ("protocol", "oracle", "risk", "donation")},
}

#: Functions with several arguments, each a field of its own.
ARGUMENTS = {
    "pendingBook": {"sizes": SIZES, "newest": unsigned(32)},
    "version": {"value": ACCUMULATORS, "valid": FLAG, "filled": FLAG, "count": unsigned(14)},
}


@pytest.fixture(scope="module")
def packing(anvil, operator):
    return anvil.deploy("MockPacking", sender=operator)


def paths(fields, above=()):
    for field, bounds in fields.items():
        if isinstance(bounds, dict):
            yield from paths(bounds, (*above, field))
        else:
            yield (*above, field)


def filled(fields, choose, above=()):
    """Values of all fields, chosen by path and bounds."""
    return tuple(
        filled(bounds, choose, (*above, field)) if isinstance(bounds, dict) else choose((*above, field), bounds)
        for field, bounds in fields.items()
    )


def nothing(bounds):
    """The value of a field whose slot is empty."""
    return 0 if isinstance(bounds[0], int) and not isinstance(bounds[0], bool) else bounds[0]


def plain(values):
    """What comes back, in lower case."""
    return tuple(
        plain(value) if isinstance(value, tuple) else value.lower() if isinstance(value, str) else value
        for value in values
    )


def packed(packing, name, values):
    if name in ARGUMENTS:
        return plain(packing.read(name, *values))
    return plain(packing.read(name, values))


ALL = PACKED | ARGUMENTS


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, fields in ALL.items() for path in paths(fields)], ids=str
)
def test_field_at_its_bounds(packing, name, path):
    fields = ALL[name]
    for end in (0, 1):
        # Alone, then beside all others at their largest and their least.
        for others in (nothing, lambda bounds: bounds[1], lambda bounds: bounds[0]):
            values = filled(
                fields,
                lambda here, bounds, end=end, others=others: bounds[end] if here == path else others(bounds),
            )
            assert packed(packing, name, values) == values


@pytest.mark.parametrize("name", ALL)
def test_any_values(packing, name):
    random = Random(name)

    def choose(_, bounds):
        low, high = bounds
        if isinstance(low, str):
            return f"0x{random.getrandbits(160):040x}"
        return random.choice(bounds) if isinstance(low, bool) else random.randint(low, high)

    for _ in range(20):
        values = filled(ALL[name], choose)
        assert packed(packing, name, values) == values


def test_collateral_saturates(packing):
    for collateral in (2**63, 2**255 - 1, -(2**63), -(2**255)):
        stored = packing.account((collateral, 0, 0, 0, 0, 0, False, False, False)).collateral
        assert stored == (2**63 - 1 if collateral > 0 else -(2**63 - 1))


def test_claimable_fees_saturate(packing):
    assert packing.claimableFees((2**64, 2**256 - 1, 1, 2**64 - 1)) == (2**64 - 1, 2**64 - 1, 1, 2**64 - 1)
