"""perennial.prices: hours of the past, as Pyth would have told them."""

import pytest

from perennial.mirror.versions import Feed, Versions, Window, price_of
from perennial.prices import DAY, HOUR, PriceError, encode_update, load_prices, pyth_update

DECEMBER_10 = 1_512_864_000
FEED = "0x" + "e6" * 32


def test_the_price_of_an_hour_is_what_its_first_trade_paid():
    prices = load_prices("BTC-USD")

    # 1512864000,15309.98,15309.99,14812.0,14934.0
    assert prices.at(DECEMBER_10) == 15_309_980_000
    assert prices.at(DECEMBER_10 + HOUR) == 14_934_000_000
    assert (prices.start, prices.end) == (1_498_906_800, 1_571_302_800)


def test_a_window_has_both_its_ends():
    window = load_prices("BTC-USD").window(DECEMBER_10, DECEMBER_10 + DAY)

    assert (window.start, window.end, len(window.values)) == (DECEMBER_10, DECEMBER_10 + DAY, 25)
    assert window.values[0] == 15_309_980_000


@pytest.mark.parametrize(("start", "end"), [(1_498_906_800 - HOUR, DECEMBER_10), (DECEMBER_10, 1_571_302_800 + HOUR)])
def test_a_window_beyond_the_prices_is_refused(start, end):
    with pytest.raises(PriceError, match="reach from 2017-07-01 11:00 to 2019-10-17 09:00"):
        load_prices("BTC-USD").window(start, end)


@pytest.mark.parametrize("time", [DECEMBER_10 + 1, 1_498_906_800 - HOUR, 1_571_302_800 + HOUR])
def test_no_price_but_of_a_full_hour_in_the_data(time):
    with pytest.raises(PriceError, match="no price of BTC-USD"):
        load_prices("BTC-USD").at(time)


def test_between_daily_closes_prices_lie_on_a_straight_line():
    prices = load_prices("ETH-USD")

    # 1512691200,16367.03,463.45 and 1512777600,15309.98,485.04: closes, so of the days' ends.
    assert prices.at(1_512_691_200 + DAY) == 463_450_000
    assert prices.at(1_512_691_200 + DAY + 12 * HOUR) == (463_450_000 + 485_040_000) // 2
    assert prices.at(1_512_777_600 + DAY) == 485_040_000


def test_a_ratio_is_one_close_over_the_other_with_both_at_hand():
    prices = load_prices("ETH-BTC")

    # 1512691200,16367.03,463.45: closes, so of the day's end. 463.45 / 16367.03 = 0.02831607...
    assert prices.at(1_512_691_200 + DAY) == 28_316
    assert prices.legs_at(1_512_691_200 + DAY) == (463_450_000, 16_367_030_000)
    # Twelve days are missing from 2019-03-20 on.
    assert (prices.start, prices.end, prices.step) == (1_464_393_600, 1_553_040_000, DAY)
    window = prices.window(1_512_691_200, 1_512_691_200 + 2 * DAY)
    assert (len(window.values), [len(leg) for leg in window.legs]) == (3, [3, 3])
    assert window.legs_at(1_512_691_200 + DAY) == (463_450_000, 16_367_030_000)
    with pytest.raises(PriceError, match="no price of ETH-BTC"):
        prices.legs_at(1_512_691_200 + HOUR)


def test_one_feed_is_its_own_leg():
    prices = load_prices("BTC-USD")

    assert prices.legs_at(DECEMBER_10) == (prices.at(DECEMBER_10),)
    assert prices.mapped(lambda price: -price).at(DECEMBER_10) == -prices.at(DECEMBER_10)


def test_an_unknown_market_is_told_what_there_is():
    with pytest.raises(PriceError, match="no prices of SOL-USD: there are BTC-USD, ETH-USD and ETH-BTC"):
        load_prices("SOL-USD")


def test_an_update_is_what_the_mock_of_pyth_would_make(project, operator):
    update = pyth_update(15_309_980_000, DECEMBER_10 + 4, 7_654_990)
    mock = operator.deploy(project.MockPyth, 60, 1)

    expected = mock.createPriceFeedUpdateData(
        FEED, 1_530_998_000_000, 765_499_000, -8, DECEMBER_10 + 4, DECEMBER_10 + 3
    )

    assert encode_update(FEED, update) == expected


def test_an_update_prices_its_version():
    versions = Versions(DECEMBER_10 + 12, HOUR)
    update = pyth_update(15_309_980_000, DECEMBER_10 + 4)

    found = price_of(versions, DECEMBER_10, [Feed(FEED)], {FEED: [update]}, Window())

    assert found == (15_309_980_000, DECEMBER_10 + 4)
