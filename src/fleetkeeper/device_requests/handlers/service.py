"""Handlers: kept by people, found by those who answer."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.handlers.queries import LISTING
from fleetkeeper.device_requests.handlers.schemas import (
    RequestHandlerPage,
    RequestHandlerRead,
    RequestHandlerWrite,
)
from fleetkeeper.device_requests.models import RequestHandler
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.notifications.channels.schemas import ChannelKind
from fleetkeeper.notifications.channels.service import get_channel
from fleetkeeper.records.service import Records


class RequestHandlers(Records[RequestHandlerWrite, RequestHandlerRead]):
    """Handlers, whose channels are webhooks that their maker may see."""

    async def create(
        self, session: AsyncSession, actor: Actor, wanted: RequestHandlerWrite
    ) -> RequestHandlerRead:
        """Make one. Raises ForbiddenError, ConflictError for a name that is taken, InvalidInputError."""
        await self._check_channels(session, actor, None, wanted)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: RequestHandlerWrite,
        expected_version: int | None = None,
    ) -> RequestHandlerRead:
        """Change one. Raises as making one does, NotFoundError, and PreconditionError for a lost update."""
        await self._check_channels(session, actor, await self.get(session, actor, key), wanted)
        return await super().change(session, actor, key, wanted, expected_version)

    async def _check_channels(
        self,
        session: AsyncSession,
        actor: Actor,
        present: RequestHandlerRead | None,
        wanted: RequestHandlerWrite,
    ) -> None:
        """Payloads go where the channel leads: only who may see a channel sends something there."""
        for field in ("channel_id", "response_channel_id"):
            channel_id = getattr(wanted, field)
            if channel_id is None or (present is not None and getattr(present, field) == channel_id):
                continue
            problem = await _problem_of(session, actor, channel_id)
            if problem:
                raise InvalidInputError("The handler was not saved.", fields=[FieldError(field, problem)])


async def _problem_of(session: AsyncSession, actor: Actor, channel_id: UUID) -> str:
    if not actor.may(Permission.NOTIFICATIONS_READ):
        return f"Needs the permission {Permission.NOTIFICATIONS_READ}"
    try:
        channel = await get_channel(session, actor, channel_id)
    except NotFoundError:
        return "No such channel"
    return "" if channel.kind == ChannelKind.WEBHOOK else "Must be a channel of kind webhook"


handlers = RequestHandlers(
    model=RequestHandler,
    listing=LISTING,
    write_as=RequestHandlerWrite,
    read_as=RequestHandlerRead,
    page_as=RequestHandlerPage,
    noun=("request handler", "request handlers"),
    page="/request-handlers/{}",
    read=Permission.REQUESTS_READ,
    write=Permission.REQUESTS_WRITE,
    is_shared=True,
)


async def find_handler(session: AsyncSession, actor: Actor, wanted: str) -> RequestHandler:
    """A handler by its name or ID. Raises InvalidInputError."""
    visible = handlers.visible_to(actor)
    try:
        condition = RequestHandler.id == UUID(wanted)
    except ValueError:
        condition = RequestHandler.name == wanted
    found: RequestHandler | None = await session.scalar(visible.where(condition))
    if found is None:
        raise InvalidInputError(
            "The handler is unknown.", fields=[FieldError("handler", "No such request handler")]
        )
    return found
