"""What a list's address may say, as a dependency of its route, so that the API's description has each filter."""

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Query, Request

from fleetkeeper.kit.listing import MAX_TEXT_LENGTH, Listing
from fleetkeeper.kit.pagination import DEFAULT_LIMIT, MAX_LIMIT

# Names and texts, as they came.
ListParameters: TypeAlias = list[tuple[str, str]]
_KINDS = {bool: "true or false", datetime: "a time (RFC 3339)", int: "a whole number", float: "a number"}


def listed_by(listing: Listing, *, is_paged: bool = True) -> Any:
    """The dependency of a route whose list it is; it gives the parameters as they came.

    What they say is checked where the list is read: the description here says what there is. A list that comes in one
    answer is not paged.
    """
    fields = [
        _parameter(name, str, None, _filter_text(name, one.kind)) for name, one in listing.fields.items()
    ]
    sortable = [name for name, one in listing.fields.items() if one.sortable]
    ordering = f"Field to sort by, with - before it from large to small: {', '.join(sortable)}"
    search = [_parameter("q", str, None, "Text to search for")] if listing.search else []
    paging = [
        _parameter("ordering", str, None, f"{ordering}. Default: {listing.default_ordering}"),
        _parameter(
            "limit",
            int,
            DEFAULT_LIMIT,
            "Rows of a page",
            json_schema_extra={"minimum": 1, "maximum": MAX_LIMIT},
        ),
        _parameter("cursor", str, None, "From `next` or `previous` of another page"),
    ]
    special = [_parameter(name, str, None, words) for name, words in listing.special.items()]
    controls = [*search, *paging] if is_paged else search
    return Depends(_dependency([*controls, *special, *fields]))


def _filter_text(name: str, kind: type) -> str:
    words = _KINDS.get(kind, "a UUID" if kind.__name__ == "UUID" else "a text")
    more = ("contains", "in", "isnull") if kind is str else ("gte", "lte", "gt", "lt", "in", "isnull")
    others = ", ".join(f"`{name}__{one}`" for one in (("isnull",) if kind is bool else more))
    return f"Only those with this value, {words}. Also {others}"


def _parameter(name: str, kind: type, default: Any, description: str, **bounds: Any) -> inspect.Parameter:
    if name == "q":
        bounds["max_length"] = MAX_TEXT_LENGTH
    told: Any = Query(alias=name, description=description, **bounds)
    wanted: Any = kind | None if default is None else kind
    # A field may have the name of a part of the path.
    return inspect.Parameter(
        f"asked_{name}", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[wanted, told]
    )


def _dependency(parameters: list[inspect.Parameter]) -> Callable[..., ListParameters]:
    def read(request: Request, **named: Any) -> ListParameters:
        del named  # Named for the description; a list reads what came, with the operators that it knows.
        return request.query_params.multi_items()

    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    read.__signature__ = inspect.Signature([request, *parameters])  # type: ignore[attr-defined]
    return read
