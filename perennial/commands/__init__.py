"""The commands of people who trade.

They exit with 0; 1 where the chain or a relay refuses; 2 where what was asked for cannot be meant; 3 where a node or a
relay does not answer in time.
"""
