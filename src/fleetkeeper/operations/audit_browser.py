"""Reading the audit log, as far as the reader may see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.chain import sealing_state
from fleetkeeper.audit.jobs import VERIFIED, VERIFY_TASK
from fleetkeeper.audit.models import AuditEntry, AuditSeal
from fleetkeeper.audit.schemas import (
    AuditEntryRead,
    AuditPage,
    AuditState,
    SealPage,
    SealRead,
    VerificationRead,
)
from fleetkeeper.audit.seals import Seal
from fleetkeeper.database.engine import settings_of
from fleetkeeper.devices.models import Device
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.queue import is_under_way
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import Field, Listing

COUNT_LIMIT = 10_000
# Who acts for people, or might: who failed to sign in is nobody yet. The rest are machines that report, and jobs.
PEOPLES_KINDS = "user,token,command,database,anonymous"
_BY_PEOPLE = AuditEntry.actor_kind.in_([literal_column(f"'{kind}'") for kind in PEOPLES_KINDS.split(",")])

ENTRIES = Listing(
    fields={
        "id": Field(AuditEntry.id.expression, int),
        "timestamp": Field(AuditEntry.timestamp.expression, datetime, sortable=False),
        "action": Field(AuditEntry.action.expression, str, sortable=False),
        "actor_kind": Field(AuditEntry.actor_kind.expression, str, sortable=False),
        "actor_name": Field(AuditEntry.actor_name.expression, str, sortable=False),
        "user_id": Field(AuditEntry.user_id.expression, UUID, sortable=False),
        "token_id": Field(AuditEntry.token_id.expression, UUID, sortable=False),
        "session_id": Field(AuditEntry.session_id.expression, UUID, sortable=False),
        "device_id": Field(AuditEntry.device_id.expression, UUID, sortable=False),
        "resource_type": Field(AuditEntry.resource_type.expression, str, sortable=False),
        "record_id": Field(AuditEntry.record_id.expression, str, sortable=False),
        "request_id": Field(AuditEntry.request_id.expression, str, sortable=False),
        "ip_address": Field(func.host(AuditEntry.ip_address), str, sortable=False),
    },
    search=(
        AuditEntry.record_name.expression,
        AuditEntry.actor_name.expression,
        AuditEntry.action.expression,
    ),
    key=AuditEntry.id.expression,
    default_ordering="-id",
    key_kind=int,
    count_limit=COUNT_LIMIT,
)

_SEAL_COLUMNS = (
    AuditSeal.number,
    AuditSeal.sealed_at,
    AuditSeal.from_transaction,
    AuditSeal.to_transaction,
    AuditSeal.entries,
    func.encode(AuditSeal.merkle_root, "hex").label("merkle_root"),
    func.encode(AuditSeal.previous_hash, "hex").label("previous_hash"),
    func.encode(AuditSeal.seal_hash, "hex").label("seal_hash"),
)
SEALS = Listing(
    fields={
        "number": Field(AuditSeal.number.expression, int),
        "sealed_at": Field(AuditSeal.sealed_at.expression, datetime, sortable=False),
    },
    search=(func.encode(AuditSeal.seal_hash, "hex"),),
    key=AuditSeal.number.expression,
    default_ordering="-number",
    key_kind=int,
)


def visible_to(actor: Actor, permission: Permission = Permission.AUDIT_READ) -> Select[Any]:
    """The entries that an actor may see: all, or those of the devices that they may see and their own acts."""
    scope = actor.scope(permission)
    if scope.everywhere:
        return select(AuditEntry)
    devices = select(Device.id).where(Device.department_id.in_(sorted(scope.departments)))
    return select(AuditEntry).where(
        or_(AuditEntry.user_id == actor.user_id, AuditEntry.device_id.in_(devices))
    )


def narrowed(
    statement: Select[Any], parameters: Sequence[tuple[str, str]]
) -> tuple[Select[Any], list[tuple[str, str]]]:
    """The same list, told in the words of the indexes.

    Entries about a device itself are found by `device_id`; the index of all other records leaves them out, and serves
    only a statement that says so too. So does the one of what people did.
    """
    values = dict(parameters)
    if values.get("actor_kind__in") == PEOPLES_KINDS:
        statement = statement.where(_BY_PEOPLE)
        parameters = [item for item in parameters if item[0] != "actor_kind__in"]
    kind, record = values.get("resource_type"), values.get("record_id")
    if not record or not kind:
        return statement, list(parameters)
    if kind != "devices":
        return statement.where(AuditEntry.resource_type != literal_column("'devices'")), list(parameters)
    try:
        device = str(UUID(record))
    except ValueError:
        return statement, list(parameters)
    return statement, [*parameters, ("device_id", device)]


async def list_entries(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> AuditPage:
    """One page of the entries that the actor may see, newest first; `parameters` are those of the query string."""
    statement, told = narrowed(visible_to(actor), parameters)
    page = await ENTRIES.page(session, statement, told)
    results = [AuditEntryRead.model_validate(row[0]) for row in page.rows]
    return AuditPage(
        count=page.count,
        count_is_exact=page.is_counted,
        next=page.next,
        previous=page.previous,
        results=results,
    )


async def get_entry(session: AsyncSession, actor: Actor, number: int) -> AuditEntryRead:
    """One entry. Raises NotFoundError for one that the actor may not see."""
    entry = await session.scalar(visible_to(actor).where(AuditEntry.id == number))
    if entry is None:
        raise NotFoundError("There is no such entry in the audit log. Old entries are in its archive.")
    return AuditEntryRead.model_validate(entry)


async def seal_of(session: AsyncSession, actor: Actor, number: int) -> SealRead | None:
    """The seal that an entry is in; None while it is not sealed, or is not to be seen."""
    transaction = (
        visible_to(actor).where(AuditEntry.id == number).with_only_columns(AuditEntry.transaction_id)
    )
    found = select(*_SEAL_COLUMNS).where(AuditSeal.to_transaction > transaction.scalar_subquery())
    row = (await session.execute(found.order_by(AuditSeal.to_transaction).limit(1))).one_or_none()
    return None if row is None else SealRead.model_validate(row)


async def list_seals(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> SealPage:
    """One page of seals, newest first."""
    page = await SEALS.page(session, select(*_SEAL_COLUMNS), parameters)
    results = [SealRead.model_validate(row) for row in page.rows]
    return SealPage(count=page.count, next=page.next, previous=page.previous, results=results)


def shown(seal: Seal) -> SealRead:
    """A seal as the API shows it."""
    hashes = {name: getattr(seal, name).hex() for name in ("merkle_root", "previous_hash", "seal_hash")}
    return SealRead.model_validate({**vars(seal), **hashes})


async def read_state(session: AsyncSession) -> AuditState:
    """Where sealing stands, and what the last check found."""
    sealing = await sealing_state(session, settings_of(session), utc_now())
    checks = (
        select(AuditEntry.timestamp, AuditEntry.details)
        .where(
            AuditEntry.resource_type == "audit",
            AuditEntry.resource_type != literal_column("'devices'"),
            AuditEntry.record_id == VERIFIED,
        )
        .order_by(AuditEntry.id.desc())
    )
    check = (await session.execute(checks.limit(1))).one_or_none()
    return AuditState(
        newest_seal=None if sealing.newest is None else shown(sealing.newest),
        sealing=sealing.status,
        sealing_problem=sealing.reason,
        unsealed_entries=sealing.unsealed_entries,
        oldest_unsealed_at=sealing.oldest_unsealed_at,
        is_verifying=await is_under_way(session, VERIFY_TASK),
        verification=None
        if check is None
        else VerificationRead.model_validate({"checked_at": check.timestamp, **(check.details or {})}),
    )
