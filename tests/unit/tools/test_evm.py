"""The chain in memory that properties and campaigns run on."""

from perennial.testing.evm import NOBODY, Evm

CLOCK = bytes.fromhex("425f5260205ff3")
"""Code that returns the time of the block."""

DEPLOY = bytes.fromhex("66") + CLOCK + bytes.fromhex("5f5260076019f3")
"""Puts it on the chain: seven bytes at the end of a word."""


def test_what_is_undone_takes_its_time_with_it():
    evm = Evm()
    clock = evm.create(NOBODY, DEPLOY)

    with evm.undone():
        evm.warp(1_000)
        assert int.from_bytes(evm.call(clock, b"")) == 1_000

    assert int.from_bytes(evm.call(clock, b"")) == 1
