"""Reading and changing policies, and telling which one holds."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config import service as config
from fleetkeeper.database.engine import driver_connection
from fleetkeeper.devices import service as devices
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.text import is_storable
from fleetkeeper.telemetry.archive import keeping_queries
from fleetkeeper.telemetry.archive.jobs import today_of
from fleetkeeper.telemetry.archive.policies import choose, limits
from fleetkeeper.telemetry.archive.schemas import (
    EffectivePolicy,
    PolicyList,
    PolicyRead,
    PolicyWrite,
)
from fleetkeeper.telemetry.models import ArchivePolicy
from fleetkeeper_protocol.metrics import describe

_PLAIN = (
    "name",
    "priority",
    "metric_group",
    "device_type",
    "department_id",
    "archive_after_days",
    "downsample_interval",
    "hour_rollup_days",
    "day_rollup_days",
    "week_rollup_days",
    "month_rollup_days",
)
_EPOCH = date(1970, 1, 1)
# Weeks and months are summed up from days; days that go sooner would be missing there.
_FEWEST_ROLLUP_DAYS = 40
_MOST_POLICIES = 500


async def list_policies(session: AsyncSession) -> PolicyList:
    """All policies: by priority, then those that name more, then the oldest."""
    rows = (
        await session.execute(
            select(ArchivePolicy, Department.name)
            .outerjoin(Department, Department.id == ArchivePolicy.department_id)
            .order_by(ArchivePolicy.id)
        )
    ).all()
    base = rows[0][0].id if rows else None
    found = [_read(policy, name, is_base=policy.id == base) for policy, name in rows]
    found.sort(key=lambda item: (item.is_base, -item.priority, -_named(item), item.id))
    return PolicyList(results=found)


async def get_policy(session: AsyncSession, policy_id: int) -> PolicyRead:
    """One policy. Raises NotFoundError."""
    found = next((one for one in (await list_policies(session)).results if one.id == policy_id), None)
    if found is None:
        raise NotFoundError("There is no such policy.")
    return found


async def create_policy(session: AsyncSession, wanted: PolicyWrite) -> PolicyRead:
    """Make a policy. Raises InvalidInputError, ConflictError."""
    known = (await list_policies(session)).results
    if len(known) >= _MOST_POLICIES:
        raise ConflictError(f"There are {_MOST_POLICIES} policies already.")
    await _check(session, wanted, known, None)
    policy = ArchivePolicy()
    _write(policy, wanted)
    session.add(policy)
    await session.flush()
    return await get_policy(session, policy.id)


async def change_policy(session: AsyncSession, policy_id: int, changes: PolicyWrite) -> PolicyRead:
    """Change a policy; fields that were not set stay. Raises NotFoundError, InvalidInputError, ConflictError."""
    now = await get_policy(session, policy_id)
    kept = now.model_dump(include=set(PolicyWrite.model_fields) - changes.model_fields_set)
    wanted = PolicyWrite.model_validate(kept | changes.model_dump(exclude_unset=True))
    if now.is_base and (wanted.metric_group or wanted.device_type or wanted.department_id):
        fields = [FieldError(name, "Must be empty") for name in _scopes(wanted)]
        raise InvalidInputError(
            "This is the policy for everything that no other policy matches. Create another one instead.",
            fields=fields,
        )
    await _check(session, wanted, (await list_policies(session)).results, policy_id)
    policy = await session.get(ArchivePolicy, policy_id, with_for_update=True, populate_existing=True)
    if policy is None:
        raise NotFoundError("There is no such policy.")
    _write(policy, wanted)
    await session.flush()
    if now.is_base:
        # Document 004 keeps the retention of this one in `config` too.
        retention = {"days": policy.retention_days, "archive_enabled": policy.archive_enabled}
        await config.change_config(session, "retention", retention)
    return await get_policy(session, policy_id)


async def delete_policy(session: AsyncSession, policy_id: int) -> None:
    """Delete a policy; others hold for what it was for. Raises NotFoundError, ConflictError for the last one."""
    if (await get_policy(session, policy_id)).is_base:
        raise ConflictError(
            "The policy for everything that no other policy matches cannot be deleted. Change it instead."
        )
    await session.delete(await session.get_one(ArchivePolicy, policy_id))
    await session.flush()


async def effective_policy(
    session: AsyncSession, actor: Actor, device_id: UUID, metric: str
) -> EffectivePolicy:
    """Which policy holds for a metric of a device, and why. Raises NotFoundError for a device one does not see."""
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    if not is_storable(metric):
        raise InvalidInputError(
            "The metric is wrong.", fields=[FieldError("metric", "Must not contain control characters")]
        )
    group = await session.scalar(text("SELECT metric_type FROM metrics WHERE name = :name"), {"name": metric})
    group = group if group is not None else describe(metric).group
    connection = await driver_connection(session)
    paths = await keeping_queries.department_paths(connection)
    kinds = await keeping_queries.kinds_of_devices(connection, [device_id], paths)
    choice = choose(await keeping_queries.read_policies(connection), group, kinds[device_id])
    keeping = limits(choice.policy, today_of())
    return EffectivePolicy(
        device=device_id,
        metric=metric,
        metric_group=group,
        policy=await get_policy(session, choice.policy.id) if choice.policy.id else None,
        reason=choice.reason,
        others=[other.title for other in choice.others],
        archived_before=_date(keeping.archive_before),
        removed_before=_date(keeping.raw_before),
    )


async def metric_groups(session: AsyncSession) -> list[str]:
    """The groups that there are metrics of."""
    return list(await session.scalars(text("SELECT DISTINCT metric_type FROM metrics ORDER BY 1")))


async def device_types(session: AsyncSession) -> list[str]:
    """The types that there are devices of."""
    return list(await session.scalars(text("SELECT DISTINCT device_type FROM devices ORDER BY 1")))


def _date(day: int | None) -> date | None:
    return None if day is None else _EPOCH + timedelta(days=day)


def _scopes(item: PolicyRead | PolicyWrite) -> list[str]:
    return [
        name for name in ("metric_group", "device_type", "department_id") if getattr(item, name) is not None
    ]


def _named(item: PolicyRead) -> int:
    return len(_scopes(item))


def _read(policy: ArchivePolicy, department: str | None, *, is_base: bool) -> PolicyRead:
    values: dict[str, Any] = {name: getattr(policy, name) for name in (*_PLAIN, "id", "updated_at")}
    return PolicyRead(
        **values,
        department=department,
        raw_days=policy.retention_days if policy.archive_enabled else None,
        downsample_after_days=policy.downsample_after_days if policy.downsample_enabled else None,
        is_base=is_base,
        last_run=policy.last_archive_run,
    )


def _write(policy: ArchivePolicy, wanted: PolicyWrite) -> None:
    for name in _PLAIN:
        setattr(policy, name, getattr(wanted, name))
    policy.archive_enabled = wanted.raw_days is not None
    policy.retention_days = wanted.raw_days or policy.retention_days or 30
    policy.downsample_enabled = wanted.downsample_after_days is not None
    policy.downsample_after_days = wanted.downsample_after_days or policy.downsample_after_days or 7
    policy.updated_at = datetime.now(UTC)


async def _check(
    session: AsyncSession, wanted: PolicyWrite, known: list[PolicyRead], policy_id: int | None
) -> None:
    problems: list[FieldError] = []
    ends = [days for days in (wanted.raw_days, wanted.downsample_after_days) if days is not None]
    if wanted.archive_after_days is not None and ends and wanted.archive_after_days >= min(ends):
        problems.append(
            FieldError("archive_after_days", f"Must be less than {min(ends)}: raw samples are deleted then")
        )
    if wanted.day_rollup_days is not None and wanted.day_rollup_days < _FEWEST_ROLLUP_DAYS:
        message = f"Must be at least {_FEWEST_ROLLUP_DAYS}: weeks and months are computed from days"
        problems.append(FieldError("day_rollup_days", message))
    problems += [
        FieldError(name, "Must not contain control characters")
        for name in ("name", "metric_group", "device_type")
        if not is_storable(getattr(wanted, name) or "")
    ]
    if wanted.department_id is not None and not problems:
        found = await session.scalar(select(Department.id).where(Department.id == wanted.department_id))
        if found is None:
            problems.append(FieldError("department_id", "There is no such department"))
    if problems:
        raise InvalidInputError("The policy was not saved.", fields=problems)
    scope = (wanted.metric_group, wanted.device_type, wanted.department_id, wanted.priority)
    for other in known:
        theirs = (other.metric_group, other.device_type, other.department_id, other.priority)
        if other.id != policy_id and theirs == scope:
            raise ConflictError(
                f"{other.name or f'Policy {other.id}'} is for the same already, with the same priority."
            )
