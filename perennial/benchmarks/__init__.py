"""What the protocol costs in gas, measured on Anvil from receipts of real transactions through the real proxies."""
