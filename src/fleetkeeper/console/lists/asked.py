"""What a list's address asks for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

MOST_FILTERS = 20
_LONGEST = 300


@dataclass(frozen=True)
class Asked:
    """Search, ordering, page, columns and filters; what is empty is as the list has it by itself."""

    path: str
    q: str = ""
    ordering: str = ""
    cursor: str = ""
    columns: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str:
        """What a filter of that name asks for; nothing where there is none."""
        return next((text for known, text in self.filters if known == name), "")

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """All of it as the address says it."""
        texts = (("q", self.q), *self.filters, ("ordering", self.ordering), ("cursor", self.cursor))
        return (*((name, text) for name, text in texts if text), *(("columns", one) for one in self.columns))

    @property
    def address(self) -> str:
        """The list's address."""
        return f"{self.path}?{urlencode(self.parameters)}" if self.parameters else self.path

    @property
    def explicit_address(self) -> str:
        """The same for links within the list: one that asks for nothing does not lead to a default view."""
        return self.address if self.parameters else f"{self.path}?view=all"

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out of the list."""
        return bool(self.q or self.filters)

    def sorted_by(self, ordering: str) -> "Asked":
        """The same from its first page on, in that order."""
        return replace(self, ordering=ordering, cursor="")

    def at(self, cursor: str) -> "Asked":
        """Another page."""
        return replace(self, cursor=cursor)

    def with_filter(self, filter_: tuple[str, str]) -> "Asked":
        """The same with that filter too."""
        return replace(self, filters=(*self.filters, filter_), cursor="")

    def without(self, filter_: tuple[str, str]) -> "Asked":
        """The same without that filter."""
        rest = tuple(one for one in self.filters if one != filter_)
        return replace(self, filters=rest, cursor="")


def read_asked(
    path: str,
    parameters: Iterable[tuple[str, str]],
    *,
    filters: frozenset[str],
    columns: Sequence[str],
    orderings: frozenset[str],
) -> Asked:
    """An address; what the list does not know is left out of it.

    `filters` are the names that may stand before `__`. The parameters `field`, `operator` and `value`, of which there
    may be several, together are one filter that was put together by hand.
    """
    texts = [(name, text[:_LONGEST]) for name, text in parameters]
    values = dict(texts)
    made = _made(values, [text for name, text in texts if name == "value"])
    asked = dict.fromkeys(
        (name.removesuffix("__exact"), text)
        for name, text in [*texts, *made]
        if text and name.partition("__")[0] in filters and name not in {"q", "ordering", "cursor", "columns"}
    )
    ordering = values.get("ordering", "")
    chosen = dict.fromkeys(text for name, text in texts if name == "columns" and text in columns)
    return Asked(
        path=path,
        q=values.get("q", ""),
        ordering=ordering if ordering.removeprefix("-") in orderings else "",
        cursor="" if made else values.get("cursor", ""),
        columns=tuple(chosen),
        filters=tuple(asked)[:MOST_FILTERS],
    )


def _made(values: dict[str, str], entered: Sequence[str]) -> list[tuple[str, str]]:
    """The filter that was put together by hand; what is empty or not needs no value."""
    field, operator = values.get("field", ""), values.get("operator", "")
    value = ",".join(filter(None, entered))
    if operator in {"isnull", "isset"}:
        is_set = operator == "isset" or value.strip().lower() in {"false", "no"}
        operator, value = "isnull", "false" if is_set else "true"
    return [(f"{field}__{operator or 'exact'}", value)] if field and value else []
