"""The SQL of files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files.models import CloudFileRef, CloudStore
from fleetkeeper.cloud_files.schemas import FileType
from fleetkeeper.cloud_files.status import SyncStatus
from fleetkeeper.cloud_files.stores.schemas import Provider
from fleetkeeper.device_requests.models import DeviceRequest, RequestResponse
from fleetkeeper.device_requests.status import ResponseStatus
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import LAST, Field, Listing

LISTING = Listing(
    fields={
        "id": Field(CloudFileRef.id.expression, UUID, sortable=False),
        "request_id": Field(CloudFileRef.request_id.expression, UUID, sortable=False),
        "response_id": Field(CloudFileRef.response_id.expression, UUID, sortable=False),
        "store_id": Field(CloudFileRef.store_id.expression, UUID, sortable=False),
        "department_id": Field(CloudFileRef.department_id.expression, UUID, sortable=False),
        "name": Field(CloudFileRef.name.expression, str),
        "file_type": Field(CloudFileRef.file_type.expression, str, choices=tuple(FileType)),
        "cloud_provider": Field(CloudFileRef.cloud_provider.expression, str, choices=tuple(Provider)),
        "sync_status": Field(CloudFileRef.sync_status.expression, str, choices=tuple(SyncStatus)),
        "file_size_bytes": Field(CloudFileRef.file_size_bytes.expression, int),
        "sha256": Field(CloudFileRef.sha256.expression, str, sortable=False),
        "uploaded_by": Field(CloudFileRef.uploaded_by.expression, str),
        "uploaded_at": Field(CloudFileRef.uploaded_at.expression, datetime, null_as=LAST),
        "created_at": Field(CloudFileRef.created_at.expression, datetime),
    },
    search=(CloudFileRef.name.expression, CloudFileRef.uploaded_by.expression),
    key=CloudFileRef.id.expression,
    default_ordering="-created_at",
)
_SHOWN = (ResponseStatus.READY, ResponseStatus.DELIVERED)


class Target(NamedTuple):
    """The store that a new file goes to."""

    id: UUID
    provider: str
    folder: str


def within(scope: Scope) -> ColumnElement[bool]:
    """Whether a file lies where a permission holds."""
    if scope.everywhere:
        return true()
    return CloudFileRef.department_id.in_(sorted(scope.departments)) if scope else false()


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The files that an actor may see, each with its request's type and the name of its store."""
    return (
        select(
            CloudFileRef,
            func.coalesce(DeviceRequest.request_type, "").label("request_type"),
            func.coalesce(CloudStore.name, "").label("store_name"),
        )
        .outerjoin(DeviceRequest, DeviceRequest.id == CloudFileRef.request_id)
        .outerjoin(CloudStore, CloudStore.id == CloudFileRef.store_id)
        .where(within(actor.scope(Permission.REQUESTS_READ)))
    )


async def store_for(session: AsyncSession, department_id: UUID | None) -> Target | None:
    """The store of the nearest department; it may be one that the caller does not see."""
    found = await session.execute(
        text("SELECT id, provider, folder FROM cloud_store_for(CAST(:place AS uuid))"),
        {"place": department_id},
    )
    row = found.one_or_none()
    return None if row is None else Target(*row)


async def local_bytes(session: AsyncSession) -> int:
    """The size of all files on this server, those included that the transaction does not see."""
    return int(await session.scalar(text("SELECT cloud_local_bytes()")) or 0)


async def count_of_request(session: AsyncSession, request_id: UUID) -> int:
    """How many files a request has."""
    counted = select(func.count()).where(CloudFileRef.request_id == request_id)
    return await session.scalar(counted) or 0


def of_device(device_id: UUID, request_id: UUID) -> Select[CloudFileRef]:
    """The files of a device's own request; those of a response once the device may have it."""
    is_out = select(RequestResponse.id).where(
        RequestResponse.id == CloudFileRef.response_id, RequestResponse.status.in_(_SHOWN)
    )
    return (
        select(CloudFileRef)
        .join(DeviceRequest, DeviceRequest.id == CloudFileRef.request_id)
        .where(
            DeviceRequest.id == request_id,
            DeviceRequest.device_id == device_id,
            or_(CloudFileRef.file_type == FileType.REQUEST, is_out.exists()),
        )
        .order_by(CloudFileRef.created_at, CloudFileRef.id)
    )


async def locked(session: AsyncSession, file_id: UUID) -> CloudFileRef | None:
    """A file as it is now; nobody else changes it before the transaction ends."""
    return await session.get(CloudFileRef, file_id, with_for_update=True, populate_existing=True)


async def leased(session: AsyncSession, file_id: UUID, token: UUID) -> CloudFileRef | None:
    """A file, locked, whose lease is still that of `token`."""
    statement = select(CloudFileRef).where(CloudFileRef.id == file_id, CloudFileRef.lease_token == token)
    found: CloudFileRef | None = await session.scalar(
        statement.with_for_update().execution_options(populate_existing=True)
    )
    return found


async def next_due(session: AsyncSession, most_of_store: int) -> tuple[CloudFileRef, CloudStore] | None:
    """The file that has waited longest, locked, with its store, unless that has enough to do."""
    other = CloudFileRef.__table__.alias("other")
    busy = (
        select(func.count())
        .select_from(other)
        .where(other.c.store_id == CloudFileRef.store_id, other.c.lease_until > func.now())
        .scalar_subquery()
    )
    free = or_(CloudFileRef.lease_until.is_(None), CloudFileRef.lease_until <= func.now())
    statement = (
        select(CloudFileRef, CloudStore)
        .join(CloudStore, CloudStore.id == CloudFileRef.store_id)
        .where(
            and_(
                CloudFileRef.sync_status == SyncStatus.PENDING,
                CloudFileRef.next_attempt_at <= func.now(),
                free,
            ),
            CloudStore.is_active,
            busy < most_of_store,
        )
        .order_by(CloudFileRef.next_attempt_at, CloudFileRef.id)
        .limit(1)
        .with_for_update(of=CloudFileRef, skip_locked=True)
    )
    row: Any = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def present_among(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these files wait for their store."""
    waiting = select(CloudFileRef.id).where(
        CloudFileRef.id.in_(ids), CloudFileRef.sync_status != SyncStatus.SYNCED
    )
    return set(await session.scalars(waiting))
