"""MockToken: the token of tests and local networks."""

import pytest
from ape import reverts
from eth_account.messages import encode_typed_data


@pytest.fixture(params=[6, 8, 18])
def decimals(request):
    return request.param


@pytest.fixture
def token(create_token, decimals):
    return create_token(decimals=decimals)


def test_constructor_sets_metadata(token, decimals):
    assert (token.name(), token.symbol(), token.decimals()) == ("Mock Dollar", "mUSD", decimals)
    assert token.totalSupply() == 0


def test_mint_is_open_and_exact(token, maker, taker, decimals):
    amount = 123 * 10**decimals + 1

    token.mint(maker, amount, sender=taker)

    assert token.balanceOf(maker) == amount
    assert token.balanceOf(taker) == 0
    assert token.totalSupply() == amount


def test_transfer_of_more_than_the_balance_reverts(token, maker, taker):
    token.mint(maker, 5, sender=maker)

    with reverts(token.ERC20InsufficientBalance, error_inputs={"sender": maker, "balance": 5, "needed": 6}):
        token.transfer(taker, 6, sender=maker)


PERMIT = {
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


def test_permit_sets_the_allowance(token, chain, maker, taker, keeper):
    deadline = chain.pending_timestamp + 60
    domain = {"name": "Mock Dollar", "version": "1", "chainId": chain.chain_id, "verifyingContract": token.address}
    permit = {"owner": maker.address, "spender": taker.address, "value": 7, "nonce": 0, "deadline": deadline}

    signature = maker.sign_message(encode_typed_data(domain, PERMIT, permit))
    token.permit(maker, taker, 7, deadline, signature.v, signature.r, signature.s, sender=keeper)

    assert token.allowance(maker, taker) == 7
    assert token.nonces(maker) == 1
