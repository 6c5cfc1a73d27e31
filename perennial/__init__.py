"""Perennial: an open perpetual-futures protocol, its exact mirror and the tools around its contracts."""
