"""What a market refuses, by the names and with the values of the contracts' custom errors (contracts/interfaces/).

`error.args` are the arguments of the Solidity error in order, so that chain and mirror can be compared literally.
"""

# ruff: noqa: N818, D101 -- the names are those of the contracts, where the documentation is

from typing import Any


class MarketError(Exception):
    """A call was refused and changed nothing."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(value) for value in self.args)})"


class MarketPaused(MarketError): ...


class NotOperator(MarketError): ...


class NotCoordinator(MarketError): ...


class NotOwner(MarketError): ...


class NotFeeRole(MarketError): ...


class BothSides(MarketError): ...


class WrongSide(MarketError): ...


class OverClose(MarketError): ...


class SizeOverflow(MarketError): ...


class CollateralOverflow(MarketError): ...


class AccountLocked(MarketError): ...


class StalePrice(MarketError): ...


class MarketClosed(MarketError): ...


class TooManyPending(MarketError): ...


class MakerLimitExceeded(MarketError): ...


class EfficiencyTooLow(MarketError): ...


class UncoveredClose(MarketError): ...


class ReferrerMismatch(MarketError): ...


class InsufficientMargin(MarketError): ...


class InsufficientMaintenance(MarketError): ...


class InsufficientCollateral(MarketError): ...


class InsufficientTokens(MarketError): ...


class NotLiquidatable(MarketError): ...


class RewardAlreadySet(MarketError): ...


class ZeroBeneficiary(MarketError): ...


class InvalidVersion(MarketError): ...


class ParameterOutOfBounds(MarketError):
    """A parameter is out of its bounds: field, value, bound (docs/protocol.md §4)."""


class NotPauser(MarketError): ...


class FactoryPaused(MarketError): ...


class RewardIsToken(MarketError): ...


class FillCrosses(MarketError): ...


class InvalidFillAmount(MarketError): ...


class WorsePrice(MarketError): ...


class PriceTooFar(MarketError): ...


class SelfFill(MarketError): ...


class MakerCannotFill(MarketError): ...


class InsufficientCollateralization(MarketError): ...


class ZeroAmount(MarketError): ...


class SolverFeeTooHigh(MarketError): ...


class WrongDomain(MarketError): ...


class MessageExpired(MarketError): ...


class NonceAlreadyCancelled(MarketError): ...


class GroupAlreadyCancelled(MarketError): ...


class SignerNotAuthorised(MarketError): ...


class WrongSignature(MarketError): ...


class OverFilled(MarketError): ...


class FillTooSmall(MarketError): ...
