"""Prices for local networks: of the past or at random, served as Pyth's Hermes serves them."""
