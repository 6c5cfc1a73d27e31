"""A market lives through real prices on a local chain, with its mirror beside it: `make demo`.

`listings` says what can be replayed, `stage` deploys it, `cast` and `strategies` are who trades, `keepers` who commits,
settles and liquidates, `twin` does every action on chain and in the mirror and compares, `replay` lets the hours or
days pass, `tables` and `page` show what came of it.
"""
