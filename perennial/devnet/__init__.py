"""A protocol of one's own on this machine: a chain, markets, prices, a keeper, a relay and a solver."""
