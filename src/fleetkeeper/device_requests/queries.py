"""The SQL of requests and their responses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, literal, literal_column, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.automation import AUTOMATIONS
from fleetkeeper.device_requests.models import (
    DeviceRequest,
    RequestHandler,
    RequestMetadata,
    RequestResponse,
    ResponseMetadata,
)
from fleetkeeper.device_requests.status import OPEN, DeviceRequestStatus, ResponseStatus
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import LAST, Field, Listing

# An answer of an agent that is there and waits for a person's verdict.
WAITS_FOR_VERDICT: ColumnElement[bool] = exists().where(
    RequestResponse.request_id == DeviceRequest.id, RequestResponse.status == ResponseStatus.PROCESSING
)

LISTING = Listing(
    fields={
        "id": Field(DeviceRequest.id.expression, UUID, sortable=False),
        "device_id": Field(DeviceRequest.device_id.expression, UUID, sortable=False),
        "device": Field(Device.name.expression, str, null_as="''", joined=True),
        "type": Field(DeviceRequest.request_type.expression, str),
        "status": Field(DeviceRequest.status.expression, str, choices=tuple(DeviceRequestStatus)),
        "handler_id": Field(DeviceRequest.handler_id.expression, UUID, sortable=False),
        "handled_by": Field(DeviceRequest.handled_by.expression, str),
        "payload_hash": Field(DeviceRequest.payload_hash.expression, str, sortable=False),
        "department_id": Field(DeviceRequest.department_id.expression, UUID, sortable=False),
        "attempts": Field(DeviceRequest.attempts.expression, int),
        "needs_person": Field(DeviceRequest.needs_person.expression, bool, sortable=False),
        "waiting_for": Field(literal("people"), str, sortable=False, choices=("people",)),
        "created_at": Field(DeviceRequest.created_at.expression, datetime),
        "answered_at": Field(DeviceRequest.answered_at.expression, datetime, null_as=LAST),
    },
    search=(
        DeviceRequest.request_type.expression,
        Device.name.expression,
        DeviceRequest.handled_by.expression,
    ),
    key=DeviceRequest.id.expression,
    default_ordering="-created_at",
)


def within(scope: Scope) -> ColumnElement[bool]:
    """Whether a request lies where a permission holds."""
    if scope.everywhere:
        return true()
    return DeviceRequest.department_id.in_(sorted(scope.departments))


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The requests that an actor may see, each with its device's name and whether it waits for a verdict."""
    return (
        select(
            DeviceRequest,
            func.coalesce(Device.name, "").label("device_name"),
            WAITS_FOR_VERDICT.label("waits"),
        )
        .outerjoin(Device, Device.id == DeviceRequest.device_id)
        .where(within(actor.scope(Permission.REQUESTS_READ)))
    )


def waits_for_people() -> ColumnElement[bool]:
    """Whether a request waits for a person: for a verdict, after one, or because nothing else takes its type."""
    named = RequestHandler.request_types.bool_op("&&")(
        func.array_append(literal_column("ARRAY['*']::varchar[]"), DeviceRequest.request_type)
    )
    by_product = (RequestHandler.kind == "automation") & DeviceRequest.request_type.in_(sorted(AUTOMATIONS))
    others = RequestHandler.kind.in_(("webhook", "agent")) | by_product
    taken = select(RequestHandler.id).where(RequestHandler.enabled, named, others).exists()
    return WAITS_FOR_VERDICT | (
        (DeviceRequest.status == DeviceRequestStatus.PENDING) & (DeviceRequest.needs_person | ~taken)
    )


async def locked(session: AsyncSession, request_id: UUID) -> DeviceRequest | None:
    """A request as it is now; nobody else changes it before the transaction ends."""
    return await session.get(DeviceRequest, request_id, with_for_update=True, populate_existing=True)


async def take_turn(session: AsyncSession, device_id: UUID) -> None:
    """Let the submissions of one device come one after the other, until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('device_requests.submit:' || :device, 0))"),
        {"device": str(device_id)},
    )


async def same_since(
    session: AsyncSession, device_id: UUID, payload_hash: str, since: datetime
) -> DeviceRequest | None:
    """The first request of a device with this digest since then."""
    statement = (
        select(DeviceRequest)
        .where(
            DeviceRequest.device_id == device_id,
            DeviceRequest.payload_hash == payload_hash,
            DeviceRequest.created_at > since,
        )
        .order_by(DeviceRequest.created_at, DeviceRequest.id)
    )
    return await session.scalar(statement.limit(1))


async def count_open(session: AsyncSession, device_id: UUID) -> int:
    """How many requests of a device are neither answered nor given up."""
    statement = select(func.count()).where(
        DeviceRequest.device_id == device_id, DeviceRequest.status.in_(OPEN)
    )
    return await session.scalar(statement) or 0


def add_metadata(session: AsyncSession, request_id: UUID, pairs: Mapping[str, str]) -> None:
    """Keep what a device says beside its request."""
    session.add_all(
        RequestMetadata(id=uuid7(), request_id=request_id, key=key, value=value)
        for key, value in pairs.items()
    )


async def metadata_of(session: AsyncSession, request_id: UUID) -> dict[str, str]:
    """What a device said beside its request."""
    statement = select(RequestMetadata.key, RequestMetadata.value).where(
        RequestMetadata.request_id == request_id
    )
    return {row.key: row.value for row in await session.execute(statement.order_by(RequestMetadata.key))}


async def metadata_of_responses(
    session: AsyncSession, response_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str]]:
    """What handlers said beside their answers."""
    statement = select(ResponseMetadata).where(ResponseMetadata.response_id.in_(response_ids))
    found: dict[UUID, dict[str, str]] = {one: {} for one in response_ids}
    for row in await session.scalars(statement.order_by(ResponseMetadata.key)):
        found[row.response_id][row.key] = row.value
    return found


async def response_of(
    session: AsyncSession, request_id: UUID, *, is_locked: bool = False
) -> RequestResponse | None:
    """A request's response."""
    statement = select(RequestResponse).where(RequestResponse.request_id == request_id)
    if is_locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)
