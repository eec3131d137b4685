"""Host names as claims on devices: whose samples a name means, and who may have it.

A claim holds within its device's department, where the oldest one counts. Of several departments that a credential
reaches the oldest claim counts likewise, so that nobody takes a name from somebody by claiming it too. What a machine
says of itself after it enrolled is no claim.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, case, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.devices.models import Device, HostClaim
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor, Scope

ENROLLMENT = "enrollment"
MAX_LENGTH = 255
# Stands for the device's own name in stored labels.
RESERVED = "\ufffc"
# Each machine's own names for itself; none that enrolls has them alone.
LOOPBACK = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "::1"})
_FIRST_AMONG = text(
    """
    SELECT DISTINCT ON (w.host) w.host, c.device_id, p.host AS primary_name
    FROM unnest(CAST(:hosts AS text[])) AS w (host)
    JOIN telemetry_hosts c ON c.name_key = lower(rtrim(w.host, '.'))
    JOIN devices d ON d.id = c.device_id AND (:everywhere OR d.department_id = ANY(CAST(:departments AS uuid[])))
    LEFT JOIN telemetry_hosts p ON p.device_id = c.device_id AND p.is_primary
    ORDER BY w.host, c.id
    """
)
_OWN_OR_NEIGHBOURS = text(
    """
    SELECT DISTINCT ON (w.host) w.host, c.device_id, p.host AS primary_name
    FROM unnest(CAST(:hosts AS text[])) AS w (host)
    JOIN telemetry_hosts c ON c.name_key = lower(rtrim(w.host, '.'))
    JOIN devices d ON d.id = c.device_id
    JOIN devices own ON own.id = :device AND own.department_id IS NOT DISTINCT FROM d.department_id
    LEFT JOIN telemetry_hosts p ON p.device_id = c.device_id AND p.is_primary
    WHERE c.device_id = :device OR (c.name_key <> ALL(CAST(:loopback AS text[])) AND NOT EXISTS (
        SELECT FROM device_identities i
        WHERE i.device_id = :device AND i.kind IN ('hostname', 'fqdn') AND i.value = c.name_key))
    ORDER BY w.host, c.device_id <> :device, c.id
    """
)


class Claimed(NamedTuple):
    """The device that a name means, and the name that is its primary one, if it has any."""

    device_id: UUID
    primary_name: str | None


def problem_of(host: str) -> str:
    """Why a text is no name of a machine; nothing when it may be one."""
    if len(host) > MAX_LENGTH:
        return f"a host has at most {MAX_LENGTH} characters"
    if host != host.strip() or not host.isprintable() or RESERVED in host:
        return "a host has no blanks around it and no control characters"
    return ""


async def hold(session: AsyncSession) -> None:
    """Let nobody else add claims until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.telemetry_hosts'))"))


async def first_among(session: AsyncSession, hosts: Sequence[str], scope: Scope) -> dict[str, Claimed]:
    """For each name that a device of the scope has: the device with the oldest claim."""
    parameters = {
        "hosts": list(hosts),
        "everywhere": scope.everywhere,
        "departments": sorted(scope.departments),
    }
    rows = await session.execute(_FIRST_AMONG, parameters)
    return {row.host: Claimed(row.device_id, row.primary_name) for row in rows}


async def own_or_neighbours(
    session: AsyncSession, hosts: Sequence[str], device_id: UUID
) -> dict[str, Claimed]:
    """For each name that a device, or another of its department, has: the device, itself before others.

    A name that the device has by its own account means no other: machines of one name may stand side by side. Nor do
    the names that each machine has for itself.
    """
    parameters = {"hosts": list(hosts), "device": device_id, "loopback": sorted(LOOPBACK)}
    rows = await session.execute(_OWN_OR_NEIGHBOURS, parameters)
    return {row.host: Claimed(row.device_id, row.primary_name) for row in rows}


async def name_keys(session: AsyncSession, hosts: Sequence[str]) -> dict[str, str]:
    """What each name is found by, as the database has it."""
    rows = await session.execute(
        text("SELECT host, lower(rtrim(host, '.')) AS key FROM unnest(CAST(:hosts AS text[])) AS w (host)"),
        {"hosts": list(hosts)},
    )
    return {row.host: row.key for row in rows}


async def add(session: AsyncSession, host: str, device_id: UUID, protocol: str) -> None:
    """Claim a name for a device, as its primary one if it has none. Call `hold` before."""
    await session.execute(
        text(
            """
            INSERT INTO telemetry_hosts (host, device_id, is_primary, protocol)
            SELECT :host, :device, NOT EXISTS (
                SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary), :protocol
            """
        ),
        {"host": host, "device": device_id, "protocol": protocol},
    )


async def add_if_free(session: AsyncSession, hosts: Sequence[str], device_id: UUID) -> None:
    """Claim those names of a machine that enrolls which nobody in its department has."""
    good = [
        host for host in hosts if host and host.lower().rstrip(".") not in LOOPBACK and not problem_of(host)
    ]
    if not good:
        return
    await hold(session)
    for host in good:
        await session.execute(
            text(
                """
                INSERT INTO telemetry_hosts (host, device_id, is_primary, protocol)
                SELECT CAST(:host AS text), d.id, false, :protocol FROM devices d WHERE d.id = :device AND NOT EXISTS (
                    SELECT FROM telemetry_hosts c
                    JOIN devices o ON o.id = c.device_id AND o.department_id IS NOT DISTINCT FROM d.department_id
                    WHERE c.name_key = lower(rtrim(CAST(:host AS text), '.')))
                """
            ),
            {"host": host, "device": device_id, "protocol": ENROLLMENT},
        )


async def make_primary(session: AsyncSession, host: str, device_id: UUID) -> None:
    """Let a device's claim be its primary one, spelled as here, if it has no primary one. Call `hold` before."""
    await session.execute(
        text(
            """
            UPDATE telemetry_hosts SET host = CAST(:host AS text), is_primary = true
            WHERE device_id = :device AND name_key = lower(rtrim(CAST(:host AS text), '.')) AND NOT EXISTS (
                SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary)
            """
        ),
        {"host": host, "device": device_id},
    )


async def claimant_beside(session: AsyncSession, host: str, device_id: UUID) -> Any:
    """The device (id, name) that has a name in a device's department, perhaps itself; None when nobody has it."""
    rows = await session.execute(
        text(
            """
            SELECT o.id, o.name FROM devices d
            JOIN devices o ON o.department_id IS NOT DISTINCT FROM d.department_id
            JOIN telemetry_hosts c ON c.device_id = o.id AND c.name_key = lower(rtrim(CAST(:host AS text), '.'))
            WHERE d.id = :device ORDER BY o.id = :device DESC, c.id LIMIT 1
            """
        ),
        {"host": host, "device": device_id},
    )
    return rows.one_or_none()


async def move(session: AsyncSession, claim_id: int, device_id: UUID) -> None:
    """Give a claim to another device, as its primary one if it has none. Call `hold` before."""
    await session.execute(
        text(
            """
            UPDATE telemetry_hosts SET device_id = :device, is_primary = NOT EXISTS (
                SELECT FROM telemetry_hosts WHERE device_id = :device AND is_primary)
            WHERE id = :claim
            """
        ),
        {"claim": claim_id, "device": device_id},
    )


async def remove(session: AsyncSession, claim_id: int) -> None:
    """Forget a claim."""
    await session.execute(text("DELETE FROM telemetry_hosts WHERE id = :claim"), {"claim": claim_id})


def claims_visible_to(actor: Actor) -> Select[HostClaim, Device, str]:
    """Claims on devices that the actor may see, with the devices, and how each stands to others that they see.

    `only`: nobody else has the name; `first`: the oldest of several; `later`: an older one in another department
    goes before it for whoever reaches both; `overruled`: an older one in its own department always goes before it.
    """
    visible = visible_to(actor).subquery()
    other, their = aliased(HostClaim), aliased(Device)
    others = (
        select(other.id)
        .join(their, their.id == other.device_id)
        .where(
            other.name_key == HostClaim.name_key,
            other.id != HostClaim.id,
            other.device_id.in_(select(visible.c.id)),
        )
        .correlate(HostClaim, Device)
    )
    older = others.where(other.id < HostClaim.id)
    beside = older.where(their.department_id.is_not_distinct_from(Device.department_id))
    standing = case(
        (beside.exists(), "overruled"), (older.exists(), "later"), (others.exists(), "first"), else_="only"
    )
    return (
        select(HostClaim, Device, standing.label("standing"))
        .join(Device, Device.id == HostClaim.device_id)
        .where(HostClaim.device_id.in_(select(visible.c.id)))
    )


def of_name(statement: Select[HostClaim, Device, str], host: str) -> Select[HostClaim, Device, str]:
    """Only claims of this name, the oldest first."""
    key = text("lower(rtrim(CAST(:host AS text), '.'))").bindparams(host=host)
    return statement.where(and_(HostClaim.name_key == key)).order_by(HostClaim.id)
