"""Keyset cursors: an opaque text that holds the sort values of the last row."""

import base64
import binascii
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel

from fleetkeeper.errors import FieldError, InvalidInputError

_Page = TypeVar("_Page", bound=BaseModel)

Item = TypeVar("Item")
_NOTHING: Mapping[str, str] = MappingProxyType({})
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000


class PageOf(BaseModel, Generic[Item]):
    """One page of a list, as every list answers."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


def encode_cursor(values: list[Any]) -> str:
    """Pack JSON values into a cursor that fits a URL."""
    packed = json.dumps(values, separators=(",", ":"), default=str).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """Unpack a cursor; raises InvalidInputError when it is not one of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != length:
        message = "this cursor was not made by this list with this ordering; start again without it"
        raise InvalidInputError(
            "The cursor does not fit this list.",
            fields=[FieldError("cursor", message)],
        )
    return values


def with_links(page: _Page, path: str, more: Mapping[str, str] = _NOTHING) -> _Page:
    """The same page, its `next` and `previous` led from bare query strings to a path that clients can follow.

    `more` are parameters of the path that the list itself does not take.
    """
    rest = f"&{urlencode(more)}" if more else ""
    links = {name: path + getattr(page, name) + rest for name in ("next", "previous") if getattr(page, name)}
    return page.model_copy(update=links)
