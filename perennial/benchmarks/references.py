"""What the flows cost elsewhere, and what they may cost here.

A is the release of a comparable protocol that ran in production in 2025, B its leaner first release of 2023. Both were
measured like the flows here: one Anvil, receipts of real transactions through the real proxies, mock oracle, mock token
of 18 decimals.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """Gas in A and B (None where it has no such flow), and the goal."""

    a: int | None
    b: int | None
    goal: int


REFERENCES = {
    "create_market": Reference(405_744, 408_797, 450_000),
    "first_open_with_deposit": Reference(755_558, 402_587, 245_000),
    "market_order": Reference(654_486, 367_433, 165_000),
    "close": Reference(651_335, 353_166, 165_000),
    "deposit": Reference(396_022, 266_717, 85_000),
    "withdraw": Reference(601_538, 393_126, 150_000),
    "settle_one": Reference(414_874, 373_699, 120_000),
    "settle_idle": Reference(142_205, 168_275, 58_000),
    "settle_marginal": Reference(259_000, 104_500, 55_000),
    "liquidate": Reference(736_260, 368_159, 180_000),
    "fill": Reference(1_099_951, None, 255_000),
    "cross": Reference(1_169_109, None, 290_000),
    "fill_same_version": Reference(532_334, None, 165_000),
    "fill_batch_20": Reference(None, None, 140_000),
    "fill_batch_20_traders": Reference(None, None, 140_000),
    "commit_requested": Reference(612_000, 188_000, 200_000),
    "commit_unrequested": Reference(547_000, 123_000, 150_000),
    "vault_request_deposit": Reference(1_628_433, 1_466_029, 120_000),
    "vault_close_epoch": Reference(1_425_250, None, 600_000),
    "vault_settle": Reference(922_290, 922_849, 350_000),
}
