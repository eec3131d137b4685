"""Making, changing, testing and removing channels."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import let_go
from fleetkeeper.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.notifications.channels import queries
from fleetkeeper.notifications.channels.checking import FIELDS, problems_of
from fleetkeeper.notifications.channels.schemas import (
    ChannelCreate,
    ChannelKind,
    ChannelPage,
    ChannelRead,
    ChannelTestOutcome,
    ChannelUpdate,
    ChannelWithSecret,
)
from fleetkeeper.notifications.channels.secrets import make_signing_secret, open_secret, seal_secret
from fleetkeeper.notifications.models import NotificationChannel
from fleetkeeper.notifications.sending.chat import service_of
from fleetkeeper.notifications.sending.message import DeliveryFailedError, OpenChannel, trial_message
from fleetkeeper.notifications.sending.service import send

# How long a webhook carries the signature of the secret before a rotation, too.
ROTATION_HOURS = 24


@dataclass(frozen=True)
class Outgoing:
    """What sending takes: the key that opens secrets, what may be called, and the product's own address."""

    sealer: Sealer
    reach: Reach
    origin: str


async def list_channels(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> ChannelPage:
    """One page of channels that the actor may see."""
    page = await queries.LISTING.page(session, queries.visible_to(actor), parameters)
    results = [_read(row[0]) for row in page.rows]
    return ChannelPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_channel(session: AsyncSession, actor: Actor, channel_id: UUID) -> ChannelRead:
    """One channel. Raises NotFoundError."""
    return _read(await _find(session, actor, channel_id))


async def find_channel(session: AsyncSession, actor: Actor, wanted: str) -> UUID:
    """A channel by its name, or its id where several have the name. Raises InvalidInputError."""
    try:
        condition = NotificationChannel.id == UUID(wanted)
    except ValueError:
        condition = NotificationChannel.name == wanted
    found = (await session.scalars(queries.visible_to(actor).where(condition).limit(2))).all()
    if len(found) != 1:
        problem = (
            "several channels have the name; give the id" if found else f"there is no channel {wanted!r}"
        )
        raise InvalidInputError("The channel is unknown.", fields=[FieldError("channel", problem)])
    channel_id: UUID = found[0].id
    return channel_id


async def create_channel(
    session: AsyncSession, sealer: Sealer, actor: Actor, wanted: ChannelCreate
) -> ChannelWithSecret:
    """Make a channel. Raises InvalidInputError, ForbiddenError, ConflictError."""
    check_may_write(actor, wanted.department_id)
    secret = wanted.secret.get_secret_value() if wanted.secret else None
    values = {name: getattr(wanted, name) or None for name in FIELDS}
    # Beside the loop: what knows the chat services takes a second to load.
    problems = await asyncio.to_thread(problems_of, wanted.kind, values, secret=secret, has_secret=False)
    if wanted.department_id is not None and await session.get(Department, wanted.department_id) is None:
        problems.append(FieldError("department_id", "is a department that exists"))
    if problems:
        raise InvalidInputError("The channel was not created.", fields=problems)
    made = make_signing_secret() if wanted.kind == ChannelKind.WEBHOOK and secret is None else None
    channel_id = uuid7()
    channel = NotificationChannel(
        id=channel_id,
        name=wanted.name,
        kind=wanted.kind,
        department_id=wanted.department_id,
        enabled=wanted.enabled,
        per_minute=wanted.per_minute,
        format=wanted.format,
        service=service_of(secret or "") if wanted.kind == ChannelKind.CHAT else None,
        secret_sealed=seal_secret(sealer, channel_id, secret or made or "") if secret or made else None,
        **values,
    )
    session.add(channel)
    await _flush(session)
    await session.refresh(channel)
    return _with_secret(channel, made)


async def update_channel(
    session: AsyncSession,
    sealer: Sealer,
    actor: Actor,
    channel_id: UUID,
    changes: ChannelUpdate,
    *,
    expected_version: int | None = None,
) -> ChannelRead:
    """Change a channel. Raises NotFoundError, ForbiddenError, InvalidInputError, ConflictError, PreconditionError."""
    channel = await _find_to_write(session, actor, channel_id)
    check_version("channel", channel.version, expected_version)
    given = changes.model_dump(exclude_unset=True, exclude={"secret"})
    kind = ChannelKind(channel.kind)
    values = {name: given.get(name, getattr(channel, name)) or None for name in FIELDS}
    is_new = "secret" in changes.model_fields_set
    secret = changes.secret.get_secret_value() if changes.secret else None
    has_secret = channel.secret_sealed is not None and not is_new
    problems = await asyncio.to_thread(problems_of, kind, values, secret=secret, has_secret=has_secret)
    if is_new and secret is None and kind == ChannelKind.WEBHOOK:
        problems.append(FieldError("secret", "cannot be removed; rotate it instead"))
    # Otherwise whoever may change a channel would have its password sent to a server of their own.
    moved = kind == ChannelKind.EMAIL and (values["host"], values["port"]) != (channel.host, channel.port)
    if moved and has_secret:
        problems.append(FieldError("secret", "must be entered again for another mail server"))
    if problems:
        raise InvalidInputError("The channel was not changed.", fields=problems)
    for name, value in (given | values).items():
        setattr(channel, name, value)
    if is_new:
        _replace_secret(channel, seal_secret(sealer, channel.id, secret) if secret else None)
        if kind == ChannelKind.CHAT:
            channel.service = service_of(secret or "")
    channel.version += 1
    await _flush(session)
    await session.refresh(channel)
    return _read(channel)


async def rotate_secret(
    session: AsyncSession, sealer: Sealer, actor: Actor, channel_id: UUID
) -> ChannelWithSecret:
    """Give a webhook a new signing secret; the one before signs, too, for a day. Raises ConflictError for others."""
    channel = await _find_to_write(session, actor, channel_id)
    if channel.kind != ChannelKind.WEBHOOK:
        raise ConflictError("Only webhooks have a signing secret.")
    made = make_signing_secret()
    _replace_secret(channel, seal_secret(sealer, channel.id, made))
    channel.version += 1
    await session.flush()
    await session.refresh(channel)
    return _with_secret(channel, made)


async def delete_channel(session: AsyncSession, actor: Actor, channel_id: UUID) -> None:
    """Remove a channel with its rules and its delivery log. Raises NotFoundError, ForbiddenError."""
    await session.delete(await _find_to_write(session, actor, channel_id))
    await session.flush()


async def try_channel(
    session: AsyncSession, actor: Actor, outgoing: Outgoing, channel_id: UUID, recipient: str | None = None
) -> ChannelTestOutcome:
    """Send a test and say how it went. Ends the session's transaction. Raises NotFoundError, InvalidInputError."""
    channel = await _find_to_write(session, actor, channel_id)
    if channel.kind == ChannelKind.EMAIL and recipient is None:
        recipient = await session.scalar(select(User.email).where(User.id == actor.user_id))
        if recipient is None:
            problem = "is required, because your account has no email address"
            raise InvalidInputError("The test was not sent.", fields=[FieldError("recipient", problem)])
    opened = open_channel(channel, outgoing.sealer)
    await let_go(session)
    try:
        status = await send(opened, recipient or "", [trial_message(channel.name)], outgoing.reach)
    except DeliveryFailedError as error:
        return ChannelTestOutcome(works=False, detail=error.detail)
    if channel.kind == ChannelKind.EMAIL:
        return ChannelTestOutcome(works=True, detail=f"The mail server accepted the message for {recipient}.")
    if channel.kind == ChannelKind.WEBHOOK:
        return ChannelTestOutcome(works=True, detail=f"The receiver answered {status}.")
    return ChannelTestOutcome(works=True, detail="The chat service accepted the message.")


def open_channel(channel: NotificationChannel, sealer: Sealer) -> OpenChannel:
    """A channel as those who send need it, secrets in clear. Raises SealingError."""
    sealed = [channel.secret_sealed]
    if channel.previous_secret_until is not None and channel.previous_secret_until > utc_now():
        sealed.append(channel.previous_secret_sealed)
    secrets = tuple(open_secret(sealer, channel.id, one) for one in sealed if one is not None)
    names = ("kind", "url", "format", "host", "port", "security", "username", "sender")
    return OpenChannel(secrets=secrets, **{name: getattr(channel, name) for name in names})


def check_may_write(actor: Actor, department_id: UUID | None) -> None:
    """Raise ForbiddenError where the actor may not write notifications of a department; None is everybody's."""
    if not actor.may_in(Permission.NOTIFICATIONS_WRITE, department_id):
        where = "everywhere" if department_id is None else "in that department"
        raise ForbiddenError(f"This needs the permission {Permission.NOTIFICATIONS_WRITE} {where}.")


async def _find(session: AsyncSession, actor: Actor, channel_id: UUID) -> NotificationChannel:
    channel: NotificationChannel | None = await session.scalar(
        queries.visible_to(actor).where(NotificationChannel.id == channel_id)
    )
    if channel is None:
        raise NotFoundError("There is no such channel.")
    return channel


async def _find_to_write(session: AsyncSession, actor: Actor, channel_id: UUID) -> NotificationChannel:
    channel = await _find(session, actor, channel_id)
    check_may_write(actor, channel.department_id)
    return channel


def _replace_secret(channel: NotificationChannel, sealed: bytes | None) -> None:
    if channel.kind == ChannelKind.WEBHOOK:
        channel.previous_secret_sealed = channel.secret_sealed
        channel.previous_secret_until = utc_now() + timedelta(hours=ROTATION_HOURS)
    channel.secret_sealed = sealed


async def _flush(session: AsyncSession) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        if "uq_notification_channels" not in str(error.orig):
            raise
        message = "There is a channel of that name already."
        raise ConflictError(message, fields=[FieldError("name", "is taken")]) from None


def _values(channel: NotificationChannel) -> dict[str, Any]:
    names = [name for name in ChannelRead.model_fields if name != "has_secret"]
    return {name: getattr(channel, name) for name in names} | {
        "has_secret": channel.secret_sealed is not None
    }


def _read(channel: NotificationChannel) -> ChannelRead:
    return ChannelRead(**_values(channel))


def _with_secret(channel: NotificationChannel, secret: str | None) -> ChannelWithSecret:
    return ChannelWithSecret(signing_secret=secret, **_values(channel))
