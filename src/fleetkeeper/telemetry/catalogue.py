"""The SQL of what is measured: which channels there are, and which devices have them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, Text, Uuid

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

_VISIBLE = "(:everywhere OR v.department_id = ANY(:departments))"
_PARAMETERS = (bindparam("layouts", type_=ARRAY(Integer)), bindparam("departments", type_=ARRAY(Uuid)))
_CHANNELS = text(
    """
    SELECT c.id, m.name AS metric, c.labels, jsonb_object_agg(l.layout_id, l.position) AS places
    FROM metrics m JOIN channels c ON c.metric_id = m.id JOIN layout_channels l ON l.channel_id = c.id
    WHERE :metrics IS NULL OR m.name = ANY(:metrics)
    GROUP BY c.id, m.name
    """
).bindparams(bindparam("metrics", type_=ARRAY(Text)))
_DEVICES = """
    SELECT d.device_id, v.name, coalesce(h.host, v.name) AS host, d.layout_id, d.present
    FROM device_layouts d JOIN devices v ON v.id = d.device_id
    LEFT JOIN telemetry_hosts h ON h.device_id = d.device_id AND h.is_primary
    WHERE d.layout_id = ANY(:layouts) {chosen} AND {visible} ORDER BY d.layout_id, v.name, d.device_id
"""
_DEVICES_WITH = text(_DEVICES.format(chosen="", visible=_VISIBLE)).bindparams(*_PARAMETERS)
_CHOSEN_DEVICES_WITH = text(
    _DEVICES.format(chosen="AND d.device_id = ANY(:devices)", visible=_VISIBLE)
).bindparams(*_PARAMETERS, bindparam("devices", type_=ARRAY(Uuid)))


async def channels_named(session: AsyncSession, metrics: Sequence[str] | None) -> Sequence[Any]:
    """Channels of these metrics, or of all: id, metric, labels, and {layout: position} as `places`."""
    rows = await session.execute(_CHANNELS, {"metrics": list(metrics) if metrics is not None else None})
    return rows.all()


async def described_metrics(session: AsyncSession, limit: int) -> Sequence[Any]:
    """Metrics that something was said of: name, kind, unit, description."""
    rows = await session.execute(
        text(
            "SELECT name, kind, unit, description FROM metrics WHERE description <> '' OR unit <> '' "
            "ORDER BY name LIMIT :limit"
        ),
        {"limit": limit},
    )
    return rows.all()


async def devices_with(
    session: AsyncSession, actor: Actor, layouts: Sequence[int], devices: Sequence[UUID] | None
) -> Sequence[Any]:
    """Devices that the actor may see and that use these layouts: device_id, name, host, layout_id, present."""
    parameters = _parameters(actor, layouts)
    if devices is None:
        return (await session.execute(_DEVICES_WITH, parameters)).all()
    return (await session.execute(_CHOSEN_DEVICES_WITH, {**parameters, "devices": list(devices)})).all()


async def layouts_in_use(session: AsyncSession, actor: Actor, layouts: Sequence[int]) -> Sequence[Any]:
    """Those of the layouts that visible devices use: layout_id, is_whole, and the bits of positions in use."""
    rows = await session.execute(
        text(
            f"""
            SELECT d.layout_id, bool_or(d.present IS NULL) AS is_whole, bit_or(coalesce(d.present, 0)) AS present
            FROM device_layouts d JOIN devices v ON v.id = d.device_id
            WHERE d.layout_id = ANY(:layouts) AND {_VISIBLE} GROUP BY d.layout_id
            """  # noqa: S608 - a constant
        ).bindparams(*_PARAMETERS),
        _parameters(actor, layouts),
    )
    return rows.all()


def _parameters(actor: Actor, layouts: Sequence[int]) -> dict[str, Any]:
    scope = actor.scope(Permission.TELEMETRY_READ)
    return {
        "layouts": list(layouts),
        "everywhere": scope.everywhere,
        "departments": sorted(scope.departments),
    }
