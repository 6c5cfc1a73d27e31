"""The protocol in exact Python integers: one module a room of contracts/market, under the same names.

`Market` does what contracts/Market.sol does, to the last digit; tests/properties drive both with the same actions and
compare every number. It is also what answers quotes without a chain (`perennial.mirror.quote`).
"""
