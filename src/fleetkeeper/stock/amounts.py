"""Amounts of money and quantities: decimal, never binary fractions, and how people read them."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from fleetkeeper.kit.patterns import shaped

Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4, description="Decimal, as a text")]
Quantity = Annotated[
    Decimal,
    Field(gt=0, max_digits=14, decimal_places=3, description="In the part's unit; decimal, as a text"),
]
QuantityOrNone = Annotated[
    Decimal,
    Field(ge=0, max_digits=14, decimal_places=3, description="In the part's unit; decimal, as a text"),
]
Currency = Annotated[
    str,
    Field(
        min_length=3,
        max_length=3,
        pattern=shaped(r"^[A-Z]{3}$", "be a currency's three letters such as EUR (ISO 4217)"),
        description="ISO 4217",
    ),
]


def plain(amount: Decimal | None) -> str:
    """An amount without zeros that say nothing: `12.500` is 12.5. Empty for none."""
    if amount is None:
        return ""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity_text(quantity: Decimal | None, unit: str = "unit") -> str:
    """A quantity with its unit, which is left out where it is a piece: `12.5 m`, `3`."""
    if quantity is None:
        return ""
    return plain(quantity) if unit in {"unit", "piece", ""} else f"{plain(quantity)} {unit}"


def money_text(amount: Decimal | None, currency: str) -> str:
    """Money with two places at least, and its currency: `1,234.50 EUR`. Empty for none."""
    if amount is None:
        return ""
    places = max(2, len(plain(amount).partition(".")[2]))
    return f"{amount:,.{places}f} {currency}"
