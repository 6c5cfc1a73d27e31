"""Transactions of a process that may die at any moment: written down before they are sent, each mined once at most."""
