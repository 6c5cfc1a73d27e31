"""The demo with a vault: maker liquidity for two markets at once, and people who enter and leave it."""
