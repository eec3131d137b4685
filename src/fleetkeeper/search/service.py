"""Asks all sources that an actor may read, within a time."""

import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.search.asked import asked_for
from fleetkeeper.search.ranking import chosen, hit_of
from fleetkeeper.search.schemas import SearchAnswer, SearchHit
from fleetkeeper.search.sources import SOURCES

# Of what is typed (characters).
LONGEST = 200
# All sources together; somebody waits for it.
BUDGET_SECONDS = 2.0
_LEAST_SECONDS = 0.1
# What a source gives at most; the best of all are chosen among them.
MOST_OF_A_KIND = 20
_CANCELED = "57014"


async def search(session: AsyncSession, actor: Actor, typed: str, limit: int) -> SearchAnswer:
    """The best hits of all kinds. A kind that takes too long is left out, and named."""
    asked = asked_for(typed)
    found: dict[str, list[SearchHit]] = {}
    unfinished: list[str] = []
    is_cut = False
    deadline = time.monotonic() + BUDGET_SECONDS
    for source in sorted(SOURCES.values(), key=lambda one: one.order) if asked.text else ():
        if not actor.may(source.permission):
            continue
        left = max(deadline - time.monotonic(), _LEAST_SECONDS)
        try:
            async with session.begin_nested():
                await session.execute(text(f"SET LOCAL statement_timeout = {round(left * 1000)}"))
                hits = await source.find(session, actor, asked, MOST_OF_A_KIND)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _CANCELED:
                raise
            unfinished.append(source.kind)
            continue
        is_cut = is_cut or len(hits) >= MOST_OF_A_KIND
        best = {one.id: one for one in sorted(hits, key=lambda one: -one.rank)}
        found[source.kind] = [hit_of(source, one, asked) for one in best.values()]
    results = chosen(found, limit)
    return SearchAnswer(
        results=results,
        is_cut=is_cut or len(results) < sum(map(len, found.values())),
        unfinished=unfinished,
    )
