"""Reading and changing devices."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.filters import fields_asked_for, is_field, sorted_by_fields, with_value
from fleetkeeper.annotations.fields.values import set_defaults
from fleetkeeper.config.service import read_config
from fleetkeeper.devices import queries
from fleetkeeper.devices.annotating import FILTERS, TABLE, with_tag
from fleetkeeper.devices.containers import delete_with_containers
from fleetkeeper.devices.locations.service import check_location
from fleetkeeper.devices.models import Device, DeviceVitals
from fleetkeeper.devices.precedence.entering import after_emptying, note_entered
from fleetkeeper.devices.presence import stale_after
from fleetkeeper.devices.revisions.moments import CHANGED_SINCE
from fleetkeeper.devices.revisions.queries import changed_since
from fleetkeeper.devices.schemas import (
    CLEARABLE,
    DevicePage,
    DeviceRead,
    DeviceSummary,
    DeviceUpdate,
    FleetSummary,
)
from fleetkeeper.devices.sources.queries import store_identities, store_source
from fleetkeeper.errors import (
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_move
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.addresses import plain_mac
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.listing import Listing
from fleetkeeper.kit.moments import moment
from fleetkeeper.settings import Settings

# What one may do with a device; the other permissions of departments are about people.
ON_DEVICES = frozenset(
    {
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.DEVICES_CREATE,
        Permission.DEVICES_DELETE,
        Permission.DEVICES_READ,
        Permission.DEVICES_WRITE,
        Permission.ENROLLMENT_READ,
        Permission.ENROLLMENT_WRITE,
        Permission.FIELDS_READ,
        Permission.FIELDS_REVEAL,
        Permission.TELEMETRY_READ,
        Permission.TELEMETRY_WRITE,
    }
)
_Schema = TypeVar("_Schema", bound=DeviceSummary)


def _read(schema: type[_Schema], row: Any) -> _Schema:
    device: Device = row[0]
    vitals: DeviceVitals | None = row[1]
    known = {name: getattr(device, name) for name in schema.model_fields if hasattr(device, name)}
    numbers = {
        name: getattr(vitals, name) if vitals is not None and device.status == "online" else None
        for name in ("cpu_percent", "memory_percent", "disk_percent")
    }
    rhythm = {
        name: getattr(vitals, name) if vitals is not None else None
        for name in ("clock_skew_seconds", "report_interval_seconds")
    }
    return schema.model_validate(known | numbers | rhythm | {"tags": row[2], "custom_fields": row[3]})


async def silence_allowed(session: AsyncSession, settings: Settings) -> timedelta:
    """Silence after which a device is shown as stale, beside one interval of its own."""
    config = await read_config(session)
    return stale_after(config.sampling.interval_seconds, settings.telemetry.presence_seconds)


async def list_devices(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    stale_before: datetime | None = None,
    is_counted: bool = True,
) -> DevicePage:
    """One page of the devices that the actor may see.

    `parameters` are those of the query string; `department` has all below it, too, and
    `tag` and `tag__in` take slugs, and `cf_<name>` is a custom field. With `stale_before`, the moment
    before which a report is late, `status` may be `stale`, and `fresh` for those that are online and not stale.
    """
    listing, visible, asked = await _narrowed(session, actor, parameters)
    meant = {} if stale_before is None else queries.conditions_of_silence(stale_before)
    page = await listing.page(
        session,
        queries.with_vitals(visible, actor),
        asked,
        narrow=visible,
        meant=meant,
        is_counted=is_counted,
    )
    results = [_read(DeviceSummary, row) for row in page.rows]
    return DevicePage(count=page.count, next=page.next, previous=page.previous, results=results)


async def matching_ids(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    stale_before: datetime | None = None,
    limit: int,
) -> list[UUID]:
    """The devices of a list, so many at most, in no order."""
    listing, visible, asked = await _narrowed(session, actor, parameters)
    meant = {} if stale_before is None else queries.conditions_of_silence(stale_before)
    return await listing.keys(session, queries.with_vitals(visible, actor), asked, meant=meant, limit=limit)


async def _narrowed(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> tuple[Listing, Select[Any], list[tuple[str, str]]]:
    """What may be seen in the wanted departments, and what else is asked for."""
    visible = queries.machines(queries.visible_to(actor))
    fields = await fields_asked_for(session, actor, TABLE, parameters)
    listing = sorted_by_fields(queries.LISTING, fields, Device.id.expression)
    rest = []
    for name, text in parameters:
        if name == "department" and text:
            places = departments_within(text, await all_departments(session, actor))
            visible = visible.where(Device.department_id.in_(sorted(places)))
        elif name == CHANGED_SINCE and text:
            since = moment(name, text)
            visible = visible.where(changed_since(TABLE, Device.id, Device.id, since))
        elif name in FILTERS and text:
            visible = with_tag(visible, name, text)
        elif is_field(name) and text:
            visible = with_value(visible, Device.id.expression, fields, name, text)
        else:
            rest.append((name, plain_mac(text) if name == "q" else text))
    return listing, visible, rest


def departments_within(wanted: str, departments: Sequence[DepartmentRead]) -> frozenset[UUID]:
    """A department and all below it, of those that the reader may see."""
    path = next((one.path for one in departments if str(one.id) == wanted), None)
    return frozenset(
        one.id for one in departments if path is not None and f"{one.path}/".startswith(f"{path}/")
    )


async def get_device(session: AsyncSession, actor: Actor, device_id: UUID) -> DeviceRead:
    """One device. Raises NotFoundError for one that the actor may not see."""
    row = (
        await session.execute(
            queries.with_vitals(queries.visible_to(actor), actor).where(Device.id == device_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(await _where_it_went(session, actor, device_id))
    return _read(DeviceRead, row)


async def _where_it_went(session: AsyncSession, actor: Actor, device_id: UUID) -> str:
    """Why there is no device, for those who may see the one that it became part of."""
    kept = await merged_into(session, actor, device_id)
    if kept is None:
        return "There is no such device."
    return f"This device was merged into {kept.name}, /devices/{kept.id}."


async def merged_into(session: AsyncSession, actor: Actor, device_id: UUID) -> Device | None:
    """The device that one has become part of, for those who may see it."""
    other = select(Device.merged_into).where(Device.id == device_id).scalar_subquery()
    kept: Device | None = await session.scalar(queries.visible_to(actor).where(Device.id == other))
    return kept


async def update_device(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    changes: DeviceUpdate,
    *,
    expected_version: int | None,
) -> DeviceRead:
    """Change what a person may change. Raises PreconditionError when the version is another by now."""
    device = await _locked(session, actor, Permission.DEVICES_WRITE, device_id)
    if "department_id" in changes.model_fields_set and changes.department_id != device.department_id:
        await check_department(session, actor, changes.department_id)
        check_move(actor, device.department_id, changes.department_id, ON_DEVICES)
    check_version("device", device.version, expected_version)
    if changes.location_id != device.location_id:
        await check_location(session, actor, changes.location_id)
    told = {
        name: value
        for name, value in changes.model_dump(exclude_unset=True).items()
        if (value is not None or name in CLEARABLE) and getattr(device, name) != value
    }
    for name, value in told.items():
        setattr(device, name, value)
    await note_entered(session, [device_id], told, actor.name, now := utc_now())
    await after_emptying(session, device, told, now)
    device.version += 1
    await session.flush()
    await session.refresh(device)
    return await get_device(session, actor, device_id)


async def delete_device(session: AsyncSession, actor: Actor, device_id: UUID) -> None:
    """Forget a device, with its keys and sources, and the containers that it hosts.

    Its telemetry goes by a job of that room.
    """
    await _locked(session, actor, Permission.DEVICES_DELETE, device_id)
    await delete_with_containers(session, [device_id])
    await enqueue(session, "telemetry.delete")


async def _locked(session: AsyncSession, actor: Actor, permission: Permission, device_id: UUID) -> Device:
    """The device, held where it is until the transaction ends. Raises as `check_permission` does."""
    await check_permission(session, actor, permission, device_id)
    device = await session.get(Device, device_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    # Somebody may have moved it between the look and the lock.
    check_may(actor, permission, device.department_id)
    return device


def check_may(actor: Actor, permission: Permission, department_id: UUID | None) -> None:
    """Raise ForbiddenError without the permission in a device's department."""
    if not actor.may_in(permission, department_id):
        raise ForbiddenError(f"This needs the permission {permission} in the device's department.")


async def check_permission(
    session: AsyncSession, actor: Actor, permission: Permission, device_id: UUID
) -> DeviceRead:
    """The device, if the actor has a permission on it.

    Raises NotFoundError for one that the actor may not even see, ForbiddenError for one that they may only see.
    """
    device = await get_device(session, actor, device_id)
    check_may(actor, permission, device.department_id)
    return device


async def check_department(session: AsyncSession, actor: Actor, department_id: UUID | None) -> None:
    """Raise InvalidInputError unless the actor may put devices into a department."""
    exists = department_id is None or await session.scalar(
        select(Department.id).where(Department.id == department_id)
    )
    if not exists or not actor.may_in(Permission.DEVICES_WRITE, department_id):
        message = "is a department that you may put devices into"
        raise InvalidInputError("The device was not moved.", fields=[FieldError("department_id", message)])


async def summarise_fleet(
    session: AsyncSession, actor: Actor, *, now: datetime, stale: timedelta
) -> FleetSummary:
    """Number of devices by status."""
    counts = await queries.count_by_status(session, actor, now - stale)
    online, offline, unknown = (counts.get(status, 0) for status in ("online", "offline", "unknown"))
    return FleetSummary(
        total=online + offline + unknown,
        online=online - counts["stale"],
        stale=counts["stale"],
        offline=offline,
        unknown=unknown,
    )


async def count_by_department(session: AsyncSession, actor: Actor) -> dict[UUID, int]:
    """Number of devices that the actor may see right in each department."""
    return await queries.count_by_department(session, actor)


async def list_busiest(
    session: AsyncSession, actor: Actor, measure: str, *, since: datetime, limit: int = 10
) -> list[DeviceSummary]:
    """The busiest devices by `cpu`, `memory` or `disk`."""
    rows = await queries.busiest(session, actor, measure, limit, since)
    return [_read(DeviceSummary, row) for row in rows]


async def register_device(
    session: AsyncSession,
    hostname: str,
    evidence: Sequence[tuple[str, str]],
    now: datetime,
    department_id: UUID | None = None,
) -> UUID:
    """Make a device for a machine, with the evidence of who it is."""
    device = Device(name=hostname, hostname=hostname, first_seen=now, department_id=department_id)
    session.add(device)
    await session.flush()
    await set_defaults(session, TABLE, device.id, department_id)
    await store_identities(session, device.id, evidence, now)
    return device.id


async def register_source(
    session: AsyncSession,
    hostname: str,
    source_system: str,
    now: datetime,
    department_id: UUID | None = None,
) -> UUID:
    """Make a device that a source other than an agent knows, by the name that the source has for it."""
    name = hostname.lower().rstrip(".")
    evidence = [("fqdn" if "." in name else "hostname", name)]
    device_id = await register_device(session, hostname[:255], evidence, now, department_id)
    await store_source(session, device_id, (source_system, hostname), {}, now, evidence=evidence)
    return device_id
