"""Keepers: who commits prices, settles and liquidates, and whether that pays."""
