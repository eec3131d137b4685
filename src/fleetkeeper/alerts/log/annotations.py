"""Alerts as marks on charts: when they fired, within a span."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.queries import visible_to
from fleetkeeper.alerts.models import AlertLog
from fleetkeeper.alerts.status import Severity
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor

MOST = 500
LONGEST_SPAN = timedelta(days=366)


class AlertAnnotation(BaseModel):
    """From when until when an alert fired; without an end it still does."""

    alert_id: int
    name: str
    severity: Severity
    device_name: str
    start: datetime
    end: datetime | None


async def annotations(
    session: AsyncSession, actor: Actor, device_ids: Collection[UUID], start: datetime, end: datetime
) -> list[AlertAnnotation]:
    """The newest alerts of devices, or of all, that fired within a span. Raises InvalidInputError."""
    if not start < end <= start + LONGEST_SPAN:
        problem = f"Must be after start, by at most {LONGEST_SPAN.days} days"
        raise InvalidInputError("The span is wrong.", fields=[FieldError("end", problem)])
    statement = visible_to(actor).where(
        AlertLog.triggered_at < end, or_(AlertLog.resolved_at.is_(None), AlertLog.resolved_at > start)
    )
    if device_ids:
        statement = statement.where(AlertLog.system_id.in_(device_ids))
    newest = statement.order_by(AlertLog.triggered_at.desc(), AlertLog.alert_id.desc()).limit(MOST)
    return [
        AlertAnnotation(
            alert_id=one.alert_id,
            name=one.name,
            severity=one.severity,
            device_name=one.device_name,
            start=one.triggered_at,
            end=one.resolved_at,
        )
        for one in await session.scalars(newest)
    ]
