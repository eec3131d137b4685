"""Which of all hits are told, and in what order. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from fleetkeeper.search.asked import Asked
from fleetkeeper.search.schemas import SearchHit
from fleetkeeper.search.sources import Found, Source, first_with

# Of each kind that has any, however many of other kinds fit better.
SURE_OF_EACH = 2
_BY_RANK = (1.0, 0.8, 0.5)
_AT_A_WORD = 0.1
_LONGEST_MATCH = 120


def hit_of(source: Source, found: Found, asked: Asked) -> SearchHit:
    """A hit with where the words stand, and how well it fits."""
    in_title = all(part in found.title.lower() for part in asked.parts)
    where = None if in_title else first_with(found.texts, asked)
    text = found.title if where is None else where[1]
    score = _BY_RANK[found.rank]
    if found.rank and any(re.search(rf"(?<!\w){re.escape(form)}", text.lower()) for form in asked.forms):
        score += _AT_A_WORD
    # Of two texts with the same words the shorter one says less else.
    score -= source.order / 100 + min(len(text), 100) / 10_000
    return SearchHit(
        kind=source.kind,
        id=found.id,
        title=found.title,
        detail=found.detail,
        field=None if where is None else where[0],
        match=None if where is None else around(where[1], asked),
        href=found.href,
        status=found.status,
        score=round(max(score, 0.01), 4),
    )


def around(text: str, asked: Asked) -> str:
    """The line that has a word, or the part of it around the word where it is long."""
    for line in text.splitlines():
        low = line.lower()
        at = min((low.find(form) for form in asked.forms if form in low), default=-1)
        if at >= 0:
            start = max(0, at - 40) if len(line) > _LONGEST_MATCH else 0
            return line[start : start + _LONGEST_MATCH].strip()
    return text[:_LONGEST_MATCH].strip()


def chosen(by_kind: Mapping[str, Sequence[SearchHit]], limit: int) -> list[SearchHit]:
    """The best hits of all kinds, with a few of each kind among them as far as there is room."""
    ranked = {kind: _best_first(hits) for kind, hits in by_kind.items()}
    sure = _best_first(hit for hits in ranked.values() for hit in hits[:SURE_OF_EACH])[:limit]
    rest = _best_first(hit for hits in ranked.values() for hit in hits[SURE_OF_EACH:])
    return _best_first([*sure, *rest[: limit - len(sure)]])


def _best_first(hits: Iterable[SearchHit]) -> list[SearchHit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.title, str(hit.id)))
