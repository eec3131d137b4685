"""Alert rules in the search."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.identity.actor import Actor
from fleetkeeper.search.asked import Asked
from fleetkeeper.search.sources import Found, Source, declare_source, of_names


async def _find_rules(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = rules.visible_to(actor).where(of_names(asked, AlertRule.name.expression))
    found = await session.scalars(named.order_by(func.length(AlertRule.name), AlertRule.name).limit(most))
    return [
        Found(
            id=one.id,
            title=one.name,
            detail=one.severity.capitalize(),
            href=f"/alerts/rules/{one.id}",
            rank=asked.rank(one.name),
        )
        for one in found
    ]


declare_source(Source("rule", rules.read, _find_rules, 6))
