"""Whose names an alert's story may tell: those of a department above are not for its readers to know."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvent, AlertReceiver, AlertRoute, AlertSilence
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# What a story names, by the entry that does.
_NAMED = {"route": AlertRoute.name, "receiver": AlertReceiver.name, "name": AlertSilence.name}


async def hide_unseen_names(session: AsyncSession, actor: Actor, events: Sequence[AlertEvent]) -> None:
    """Take away names of routes, receivers and silences that the actor may not see; nothing is written.

    The session reads with the actor's own eyes: what row security hides is not found.
    """
    if actor.scope(Permission.ALERTS_READ).everywhere:
        return
    for entry, name in _NAMED.items():
        told = {str(one.details[entry]) for one in events if one.details.get(entry)}
        if not told:
            continue
        seen = set(await session.scalars(select(name).where(name.in_(told))))
        for one in events:
            if one.details.get(entry) and one.details[entry] not in seen:
                if one in session:
                    # Hidden from this reader alone: the story stays as it is.
                    session.expunge(one)
                one.details = {**one.details, entry: ""}
