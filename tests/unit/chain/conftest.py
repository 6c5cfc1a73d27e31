"""A chain that mines on demand, with a contract on it that keeps prices."""

import pytest

from perennial.anvil import anvil
from perennial.artifacts import load
from perennial.chain import Chain, Contract, Rpc

GENESIS = 1_500_000_000
KEEPER = "0x" + "ab" * 20
AT = "0x" + "cd" * 20


@pytest.fixture(scope="session")
def node():
    with anvil(GENESIS) as uri:
        yield uri


@pytest.fixture(scope="session")
def raw_chain(node):
    with Rpc(node) as rpc:
        rpc.call("evm_setAutomine", False)
        yield Chain(rpc)


@pytest.fixture
def place(raw_chain):
    """Puts a contract of a name at an address, without a constructor."""

    def at(name, address=AT):
        raw_chain.rpc.call("anvil_setCode", address, "0x" + load(name).runtime.hex())
        return Contract(raw_chain, name, address)

    return at


@pytest.fixture
def mine(raw_chain):
    """Makes a block ten seconds after the one before."""

    def block():
        latest = raw_chain.rpc.call("eth_getBlockByNumber", "latest", False)
        return raw_chain.mine(int(latest["timestamp"], 16) + 10)

    return block
