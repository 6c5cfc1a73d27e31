"""The solver (docs/protocol.md §9): crosses signed intents, fills others from its own inventory, and says why not.

`matching` crosses by price and time, `inventory` quotes, `batch` picks what pays, `sender` gets one batch after the
other on chain, whatever dies in between, `node` asks the chain, `solver` puts them together.
"""
