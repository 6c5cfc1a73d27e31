"""MarketFactory.create (docs/protocol.md §3.1 to §3.3)."""

from copy import copy

import pytest

from perennial.testing.anvil import NOBODY
from perennial.testing.bounds import (
    MARKET_BOUNDS,
    NO_REWARD_BOUNDS,
    PROTOCOL,
    REWARD_BOUNDS,
    RISK_BOUNDS,
    RISK_WITHIN,
    label,
)
from perennial.testing.market import START, STEP, event, refused, structs


@pytest.fixture
def fresh(bench):
    """A bench whose oracle is not taken yet."""
    bench = copy(bench)
    bench.oracle = bench.create_oracle()
    return bench


@pytest.fixture
def bounded(fresh, operator):
    """The same under bounds that are tighter than those of the storage."""
    fresh.factory.updateParameter(PROTOCOL, sender=operator)
    return fresh


def attempt(bench, sender=None, definition=None, **changes):
    """Creates a market in a call without effect."""
    risk, parameter = structs(**changes)
    created = bench.definition(**(definition or {}))
    return bench.factory.read("create", created, risk, parameter, sender=sender or bench.coordinator)


def test_anyone_opens_a_market(fresh, factory, stranger, beneficiary):
    count = factory.marketCount()
    risk, parameter = structs(takerFee="0.0002", settlementFee="1.5")

    receipt = factory.create(fresh.definition(), risk, parameter, sender=stranger)

    market = fresh.anvil.contract("IMarket", receipt.named("MarketCreated")[0]["market"])
    definition = (fresh.token.address, NOBODY, fresh.oracle.address, NOBODY, beneficiary.address)
    assert receipt.events == [event("MarketCreated", market=market, coordinator=stranger, definition=definition)]
    assert factory.marketCount() == count + 1
    assert factory.markets(count) == market.address
    assert factory.isMarket(market)
    assert not factory.isMarket(stranger)

    assert market.factory() == factory.address
    assert market.coordinator() == stranger.address
    assert market.beneficiary() == beneficiary.address
    assert (market.token(), market.reward()) == (fresh.token.address, NOBODY)
    assert (market.oracle(), market.payoff()) == (fresh.oracle.address, NOBODY)
    assert market.riskParameter()._asdict() | {"utilizationCurve": 0, "pController": 0} == risk | {
        "utilizationCurve": 0,
        "pController": 0,
    }
    assert market.riskParameter().utilizationCurve == tuple(risk["utilizationCurve"].values())
    assert market.riskParameter().pController == tuple(risk["pController"].values())
    assert market.parameter()._asdict() == parameter


def test_new_market_tells_its_parameters(fresh, factory, stranger):
    risk, parameter = structs(takerFee="0.0002", settlementFee="1.5")
    market = factory.read("create", fresh.definition(), risk, parameter, sender=stranger)
    factory.create(fresh.definition(), risk, parameter, sender=stranger)

    logs = fresh.anvil.rpc("eth_getLogs", {"address": market, "fromBlock": "latest"})
    interface = fresh.anvil.contract("IMarket", market)
    events = {each.name: each.values for each in interface.events(logs)}
    assert events["RiskParameterUpdated"] == {"version": 0, "parameter": interface.riskParameter()}
    assert events["ParameterUpdated"] == {"version": 0, "parameter": interface.parameter()}


def test_markets_beyond_the_last(factory):
    with refused("revert"):
        factory.markets(factory.marketCount())


def test_market_trades_at_once(fresh, taker):
    market = fresh.create()
    fresh.token.approve(market, 2**256 - 1, sender=taker)
    market.update(taker, 5_000_000, 0, 1_000_000_000, NOBODY, sender=taker)
    assert market.pendingPosition() == (START + STEP, 5_000_000, 0, 0)


# -- The definition ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [6, 8, 12, 18])
def test_token_decimals(fresh, anvil, operator, decimals):
    token = anvil.deploy("MockToken", "Mock Dollar", "mUSD", decimals, sender=operator)
    market = fresh.create(token=token)
    assert market.token() == token.address
    assert fresh.factory.tokenScale(token) == 10 ** (decimals - 6)


@pytest.mark.parametrize("decimals", [0, 5, 19, 255])
def test_token_of_other_decimals(fresh, anvil, operator, decimals):
    token = anvil.deploy("MockToken", "Mock Dollar", "mUSD", decimals, sender=operator)
    with refused("UnsupportedDecimals", token, decimals):
        attempt(fresh, definition={"token": token})
    with refused("UnsupportedDecimals", token, decimals):
        attempt(fresh, definition={"reward": token})
    with refused("UnsupportedDecimals", token, decimals):
        fresh.factory.tokenScale(token)


def test_token_that_is_no_contract(fresh, stranger):
    for token in (stranger, NOBODY):
        with refused("UnsupportedDecimals", token, 0):
            attempt(fresh, definition={"token": token, "reward": fresh.token})
    with refused("UnsupportedDecimals", stranger, 0):
        attempt(fresh, definition={"reward": stranger})


def test_token_that_does_not_say_its_decimals(fresh):
    with refused("UnsupportedDecimals", fresh.oracle, 0):
        attempt(fresh, definition={"token": fresh.oracle})
    with refused("UnsupportedDecimals", fresh.oracle, 0):
        attempt(fresh, definition={"reward": fresh.oracle})


def test_reward(fresh, anvil, operator):
    reward = anvil.deploy("MockToken", "Mock Reward", "mREW", 6, sender=operator)
    market = fresh.create(reward=reward, makerRewardRate="1")
    assert market.reward() == reward.address
    assert market.parameter().makerRewardRate == 10**6


def test_reward_that_is_the_token(fresh):
    with refused("RewardIsToken", fresh.token):
        attempt(fresh, definition={"reward": fresh.token})


def test_beneficiary_must_be_somebody(fresh):
    with refused("ZeroAddress", "beneficiary"):
        attempt(fresh, definition={"beneficiary": NOBODY})


def test_payoff_of_the_registered_factory(fresh, protocol, anvil, operator):
    payoffs = anvil.contract("PayoffFactory", protocol.payoff_factory)
    payoffs.create(4, 10**18, False, sender=operator)
    payoff = payoffs.addressOf(4, 10**18, False)
    assert fresh.create(payoff=payoff).payoff() == payoff


def test_payoff_of_somebody_else(fresh, anvil, stranger):
    other = anvil.deploy("PayoffFactory", sender=stranger)
    other.create(4, 10**18, False, sender=stranger)
    payoff = other.addressOf(4, 10**18, False)
    with refused("UnknownPayoff", payoff):
        attempt(fresh, definition={"payoff": payoff})


def test_oracle_that_is_not_registered(fresh, anvil, stranger):
    oracle = anvil.deploy("MockOracle", sender=stranger)
    with refused("OracleUnknown", oracle):
        attempt(fresh, definition={"oracle": oracle})


def test_oracle_that_is_taken(fresh):
    market = fresh.create()
    with refused("OracleTaken", fresh.oracle, market):
        attempt(fresh)


def test_oracle_that_somebody_else_created(fresh, protocol, anvil, coordinator, stranger):
    oracles = anvil.contract("OracleFactory", protocol.oracle_factory)
    feeds = [(b"BTC".ljust(32, b"\0"), 1)]
    created = oracles.create(protocol.pyth_oracle, feeds, sender=coordinator).named("OracleCreated")[0]["oracle"]

    with refused("OracleOfAnother", created, coordinator, stranger):
        attempt(fresh, sender=stranger, definition={"oracle": created})
    fresh.create(oracle=created, sender=coordinator)


def test_several_markets_over_the_same_feeds(fresh, protocol, anvil, coordinator, stranger):
    oracles = anvil.contract("OracleFactory", protocol.oracle_factory)
    feeds = [(b"BTC".ljust(32, b"\0"), 1)]
    markets = []
    for creator in (coordinator, stranger, stranger):
        receipt = oracles.create(protocol.pyth_oracle, feeds, sender=creator)
        oracle = receipt.named("OracleCreated")[0]["oracle"]
        markets.append(fresh.create(oracle=oracle, sender=creator))
    assert len({market.address for market in markets}) == 3
    assert len({market.oracle() for market in markets}) == 3


# -- Parameters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", RISK_BOUNDS, ids=label)
def test_bound_of_a_risk_parameter(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        attempt(bounded, **bound.changes(bound.refused))
    assert int(attempt(bounded, **bound.changes(bound.accepted)), 16) != 0


@pytest.mark.parametrize("bound", MARKET_BOUNDS, ids=label)
def test_bound_of_a_market_parameter(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        attempt(bounded, **bound.changes(bound.refused))
    assert int(attempt(bounded, **bound.changes(bound.accepted)), 16) != 0


@pytest.mark.parametrize("bound", REWARD_BOUNDS, ids=label)
def test_bound_of_a_reward_rate(bounded, anvil, operator, bound):
    reward = {"reward": anvil.deploy("MockToken", "Mock Reward", "mREW", 18, sender=operator)}
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        attempt(bounded, definition=reward, **bound.changes(bound.refused))
    assert int(attempt(bounded, definition=reward, **bound.changes(bound.accepted)), 16) != 0


@pytest.mark.parametrize("bound", NO_REWARD_BOUNDS, ids=label)
def test_bound_of_a_reward_rate_without_a_reward(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        attempt(bounded, **bound.changes(bound.refused))


@pytest.mark.parametrize("bound", RISK_BOUNDS, ids=label)
def test_validate_risk_parameter(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bounded.factory.validateRiskParameter(structs(**bound.changes(bound.refused))[0])
    bounded.factory.validateRiskParameter(structs(**bound.changes(bound.accepted))[0])


@pytest.mark.parametrize("bound", MARKET_BOUNDS + REWARD_BOUNDS, ids=label)
def test_validate_market_parameter(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bounded.factory.validateMarketParameter(structs(**bound.changes(bound.refused))[1], True)
    bounded.factory.validateMarketParameter(structs(**bound.changes(bound.accepted))[1], True)


@pytest.mark.parametrize("bound", NO_REWARD_BOUNDS, ids=label)
def test_validate_market_parameter_without_a_reward(bounded, bound):
    with refused("ParameterOutOfBounds", bound.field, bound.refused, bound.bound):
        bounded.factory.validateMarketParameter(structs(**bound.changes(bound.refused))[1], False)


def test_validation_is_that_of_the_bench(bounded):
    # What the parametrized tests start from passes by itself.
    assert int(attempt(bounded, **RISK_WITHIN), 16) != 0


# -- Pause -------------------------------------------------------------------------------------------------------------


def test_create_in_a_pause(fresh, factory, operator, keeper, stranger):
    factory.updatePauser(keeper, sender=operator)
    factory.pause(sender=keeper)

    with refused("FactoryPaused"):
        attempt(fresh, sender=stranger)
    assert int(attempt(fresh, sender=operator), 16) != 0
    factory.unpause(sender=keeper)
    assert int(attempt(fresh, sender=stranger), 16) != 0


def test_create_with_a_factory_that_the_oracle_factory_does_not_know(fresh, anvil, protocol, operator):
    other = anvil.deploy(
        "MarketFactory",
        operator,
        protocol.oracle_factory,
        protocol.payoff_factory,
        protocol.market_factory.parameter(),
        sender=operator,
    )
    parts = [anvil.deploy(name, other, sender=operator) for name in ("MarketExtension", "MarketIntents")]
    other.upgradeTo(anvil.deploy("Market", other, *parts, sender=operator), sender=operator)
    risk, parameter = structs()
    with refused("NotMarketFactory", other):
        other.create(fresh.definition(), risk, parameter, sender=operator)
