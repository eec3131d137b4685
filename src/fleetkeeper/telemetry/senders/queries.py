"""The SQL of senders."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.telemetry.senders.batches import Meaning
from fleetkeeper.telemetry.senders.models import SenderMapping, SenderRule, TelemetryHost

RULES = Listing(
    fields={
        "id": Field(SenderRule.id.expression, UUID, sortable=False),
        "position": Field(SenderRule.position.expression, int),
        "protocol": Field(SenderRule.protocol.expression, str),
        "description": Field(SenderRule.description.expression, str),
        "enabled": Field(SenderRule.enabled.expression, bool, sortable=False),
        "created_at": Field(SenderRule.created_at.expression, datetime),
        "updated_at": Field(SenderRule.updated_at.expression, datetime),
    },
    search=(SenderRule.description.expression,),
    key=SenderRule.id.expression,
    default_ordering="position",
)
HOSTS = Listing(
    fields={
        "host": Field(TelemetryHost.host.expression, str),
        "device_id": Field(TelemetryHost.device_id.expression, UUID, sortable=False),
        "device_name": Field(Device.name.expression, str),
        "is_primary": Field(TelemetryHost.is_primary.expression, bool, sortable=False),
        "protocol": Field(TelemetryHost.protocol.expression, str),
        "first_seen": Field(TelemetryHost.first_seen.expression, datetime),
    },
    search=(TelemetryHost.host.expression, Device.name.expression),
    key=TelemetryHost.host.expression,
    key_kind=str,
    default_ordering="host",
)


def hosts_visible_to(actor: Actor) -> Select[TelemetryHost, Device]:
    """Names of devices that the actor may see, with the devices."""
    visible = visible_to(actor).subquery()
    return (
        select(TelemetryHost, Device)
        .join(Device, Device.id == TelemetryHost.device_id)
        .where(TelemetryHost.device_id.in_(select(visible.c.id)))
    )


async def mapping_version(session: AsyncSession) -> int:
    """Grows with each change of rules and hosts."""
    return await session.scalar(select(SenderMapping.version)) or 0


async def all_rules(session: AsyncSession) -> Sequence[SenderRule]:
    """Rules in the order in which they are tried."""
    return (await session.scalars(select(SenderRule).order_by(SenderRule.position, SenderRule.id))).all()


async def known_hosts(session: AsyncSession, hosts: Sequence[str]) -> dict[str, tuple[UUID, bool]]:
    """Those of the names that are known: the device, and whether the name is its primary one."""
    rows = await session.execute(
        text("SELECT host, device_id, is_primary FROM telemetry_hosts WHERE host = ANY(:hosts)"),
        {"hosts": list(hosts)},
    )
    return {row.host: (row.device_id, row.is_primary) for row in rows}


async def devices_named(session: AsyncSession, hosts: Sequence[str]) -> dict[str, list[UUID]]:
    """Devices that have one of the names as hostname, FQDN or name."""
    rows = await session.execute(
        text(
            """
            SELECT w.host, i.device_id FROM unnest(CAST(:hosts AS text[])) AS w (host)
            JOIN device_identities i ON i.kind IN ('hostname', 'fqdn') AND i.value = lower(rtrim(w.host, '.'))
            UNION
            SELECT w.host, d.id FROM unnest(CAST(:hosts AS text[])) AS w (host) JOIN devices d ON d.name = w.host
            """
        ),
        {"hosts": list(hosts)},
    )
    found: dict[str, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.host, []).append(row.device_id)
    return found


async def hold_hosts(session: AsyncSession) -> None:
    """Let nobody else add hosts until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.telemetry_hosts'))"))


async def add_hosts(session: AsyncSession, hosts: Sequence[tuple[str, UUID]], protocol: str) -> None:
    """Remember names of devices; a device's first name is its primary one. Call `hold_hosts` before."""
    for host, device_id in hosts:
        await session.execute(
            text(
                """
                INSERT INTO telemetry_hosts (host, device_id, is_primary, protocol)
                SELECT :host, :device, NOT EXISTS (
                    SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary), :protocol
                ON CONFLICT DO NOTHING
                """
            ),
            {"host": host, "device": device_id, "protocol": protocol},
        )


async def add_host(session: AsyncSession, host: str, device_id: UUID) -> bool:
    """Remember a name that a person gave; returns whether it is new. Call `hold_hosts` before."""
    outcome = await session.execute(
        text(
            """
            INSERT INTO telemetry_hosts (host, device_id, is_primary)
            SELECT :host, :device, NOT EXISTS (
                SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary)
            ON CONFLICT DO NOTHING
            """
        ),
        {"host": host, "device": device_id},
    )
    return int(getattr(outcome, "rowcount", 0)) == 1


async def move_host(session: AsyncSession, host: str, device_id: UUID) -> None:
    """Give a name to another device, as its primary one if it has none. Call `hold_hosts` before."""
    await session.execute(
        text(
            """
            UPDATE telemetry_hosts SET device_id = :device, is_primary = NOT EXISTS (
                SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary)
            WHERE host = :host
            """
        ),
        {"host": host, "device": device_id},
    )


async def remove_host(session: AsyncSession, host: str) -> None:
    """Forget a name."""
    await session.execute(text("DELETE FROM telemetry_hosts WHERE host = :host"), {"host": host})


async def devices_within(
    session: AsyncSession, devices: Collection[UUID], departments: Collection[UUID]
) -> set[UUID]:
    """Those of the devices that belong to one of the departments."""
    statement = select(Device.id).where(
        Device.id.in_(sorted(devices)), Device.department_id.in_(sorted(departments))
    )
    return set((await session.scalars(statement)).all())


async def topmost_departments(session: AsyncSession, departments: Collection[UUID]) -> list[UUID]:
    """Those of the departments that lie below none of the others."""
    rows = await session.execute(
        text(
            "SELECT id FROM departments WHERE id = ANY(:ids) AND (parent_id IS NULL OR parent_id <> ALL(:ids))"
        ),
        {"ids": sorted(departments)},
    )
    return [row.id for row in rows]


async def describe_metrics(session: AsyncSession, meanings: dict[str, Meaning]) -> set[str]:
    """Fill in what nobody has said of metrics yet; returns the names that exist."""
    names = sorted(meanings)
    await session.execute(
        text(
            """
            UPDATE metrics m SET
                description = s.description,
                unit = CASE WHEN m.unit = '' THEN s.unit ELSE m.unit END,
                kind = CASE WHEN s.kind = '' THEN m.kind ELSE s.kind END
            FROM (
              SELECT unnest(CAST(:names AS text[])) AS name, unnest(CAST(:units AS text[])) AS unit,
                     unnest(CAST(:kinds AS text[])) AS kind, unnest(CAST(:descriptions AS text[])) AS description
            ) s
            WHERE m.name = s.name AND m.description = '' AND (m.unit, m.kind, m.description) IS DISTINCT FROM (
                CASE WHEN m.unit = '' THEN s.unit ELSE m.unit END,
                CASE WHEN s.kind = '' THEN m.kind ELSE s.kind END, s.description)
            """
        ),
        {
            "names": names,
            "units": [meanings[name].unit for name in names],
            "kinds": [meanings[name].kind for name in names],
            "descriptions": [meanings[name].description for name in names],
        },
    )
    rows = await session.execute(text("SELECT name FROM metrics WHERE name = ANY(:names)"), {"names": names})
    return {row.name for row in rows}
