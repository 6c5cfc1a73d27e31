"""What a transaction costs on a rollup beyond its gas, whatever the gas price oracle still answers."""

import pytest
from eth_account.typed_transactions.dynamic_fee_transaction import DynamicFeeTransaction
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from perennial.keeper.rollup import DataFee, Source, Transaction, data_fee, operator_fee

PRICE, BASE_FEE = 10**9, 7 * 10**9
TRANSACTION = Transaction(
    chain_id=8453, nonce=9, tip=1, max_fee=2, gas=300_000, to="0x" + "ab" * 20, value=3, data=b"\1\0" * 500
)
SIZE = len(TRANSACTION.serialized())


def test_serialized_is_what_is_signed():
    fields = {
        "type": 2,
        "chainId": 8453,
        "nonce": 9,
        "maxPriorityFeePerGas": 1,
        "maxFeePerGas": 2,
        "gas": 300_000,
        "to": to_checksum_address("0x" + "ab" * 20),
        "value": 3,
        "data": "0x" + "0100" * 500,
    }

    assert keccak(TRANSACTION.serialized()) == bytes(DynamicFeeTransaction.from_dict(fields).hash())
    assert 1000 < SIZE < 1100


def test_no_rollup_no_fee(rpc):
    assert data_fee(rpc, TRANSACTION) == DataFee(0, Source.NONE)
    assert operator_fee(rpc, 100_000) == 0


@pytest.mark.parametrize(
    ("retired", "fee"),
    [
        (0, DataFee((SIZE + 68) * PRICE, Source.EXACT)),
        (1, DataFee((SIZE + 68 + (SIZE + 68) // 255 + 16) * PRICE, Source.BOUND)),
        (2, DataFee((SIZE + 68) * 16 * BASE_FEE, Source.CALLDATA)),
        (3, DataFee(0, Source.UNKNOWN)),
        (4, DataFee(0, Source.UNKNOWN)),
    ],
)
def test_s_v22_m3_functions_that_a_network_upgrade_retires(rpc, rollup, retired, fee):
    """The next best takes their place, none of them fails, and it is said which it was."""
    rollup(PRICE, 2, BASE_FEE, retired)

    assert data_fee(rpc, TRANSACTION) == fee
    assert operator_fee(rpc, 100_000) == (200_000 if retired < 4 else 0)


def test_an_oracle_that_has_none_of_the_functions(rpc, chain):
    """Code that answers nothing, and code that answers something else."""
    for code in ("0x00", "0x60016000526002601ef3"):
        chain.provider.set_code("0x420000000000000000000000000000000000000F", code)
        assert data_fee(rpc, TRANSACTION) == DataFee(0, Source.UNKNOWN)
