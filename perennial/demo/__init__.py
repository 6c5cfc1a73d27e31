"""A market lives through real prices on a local chain, with its mirror beside it: `make demo`.

`stage` deploys, `cast` and `strategies` are who trades, `keepers` who commits, settles and liquidates, `twin` does
every action on chain and in the mirror and compares, `replay` lets the hours pass, `tables` and `page` show what came
of it.
"""
