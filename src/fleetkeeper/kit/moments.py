"""Moments as the parameters of addresses give them."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import parse_time

WORDS = "Must be a time with its zone such as 2026-11-27T16:00:00Z, or epoch seconds such as 1795795200"


def moment(name: str, text: str) -> datetime:
    """Read epoch seconds or RFC 3339. Raises InvalidInputError that names the parameter."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise InvalidInputError("The time is wrong.", fields=[FieldError(name, WORDS)]) from None


def _read(value: object) -> object:
    try:
        return parse_time(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        raise ValueError(WORDS) from None


Moment = Annotated[datetime, BeforeValidator(_read), WithJsonSchema({"type": "string"})]
From = Annotated[Moment, Query(alias="from", description="Epoch seconds or RFC 3339")]
To = Annotated[Moment, Query(alias="to", description="Epoch seconds or RFC 3339")]
At = Annotated[Moment | None, Query(description="Epoch seconds or RFC 3339; default: now")]
