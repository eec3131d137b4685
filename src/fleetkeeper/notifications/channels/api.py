"""`/api/v1/notification-channels`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.oidc.access import InstallationSealer
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.notifications.access import NotificationsRead, NotificationsWrite, Sending
from fleetkeeper.notifications.channels import service
from fleetkeeper.notifications.channels.queries import LISTING as CHANNELS_LISTING
from fleetkeeper.notifications.channels.schemas import (
    ChannelCreate,
    ChannelPage,
    ChannelRead,
    ChannelTest,
    ChannelTestOutcome,
    ChannelUpdate,
    ChannelWithSecret,
)

router = APIRouter(prefix="/notification-channels", tags=["notifications"])
ChannelsQuery = Annotated[ListParameters, listed_by(CHANNELS_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_channels(
    request: Request, actor: NotificationsRead, session: Session, asked: ChannelsQuery
) -> ChannelPage:
    """List notification channels."""
    page = await service.list_channels(session, actor, asked)
    return with_links(page, request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_channel(
    wanted: ChannelCreate,
    actor: NotificationsWrite,
    session: Session,
    sealer: InstallationSealer,
    response: Response,
) -> ChannelWithSecret:
    """Create a notification channel. A signing secret that is made for a webhook is in this answer only."""
    return tagged(response, await service.create_channel(session, sealer, actor, wanted))


@router.get("/{channel_id}", responses=problem_responses(401, 403, 404, 422))
async def get_channel(
    channel_id: UUID, actor: NotificationsRead, session: Session, response: Response
) -> ChannelRead:
    """Get one notification channel."""
    return tagged(response, await service.get_channel(session, actor, channel_id))


@router.patch("/{channel_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_channel(
    channel_id: UUID,
    changes: ChannelUpdate,
    actor: NotificationsWrite,
    session: Session,
    sealer: InstallationSealer,
    expected_version: ExpectedVersion,
    response: Response,
) -> ChannelRead:
    """Change a notification channel."""
    return tagged(
        response,
        await service.update_channel(
            session, sealer, actor, channel_id, changes, expected_version=expected_version
        ),
    )


@router.delete("/{channel_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_channel(channel_id: UUID, actor: NotificationsWrite, session: Session) -> None:
    """Delete a notification channel with its rules and its delivery log."""
    await service.delete_channel(session, actor, channel_id)


@router.post("/{channel_id}/rotate-secret", responses=problem_responses(401, 403, 404, 409, 422))
async def rotate_secret(
    channel_id: UUID, actor: NotificationsWrite, session: Session, sealer: InstallationSealer
) -> ChannelWithSecret:
    """Give a webhook a new signing secret. For 24 hours deliveries carry the signature of the old one, too."""
    return await service.rotate_secret(session, sealer, actor, channel_id)


@router.post("/{channel_id}/test", responses=problem_responses(400, 401, 403, 404, 422))
async def test_channel(
    channel_id: UUID,
    actor: NotificationsWrite,
    session: Session,
    outgoing: Sending,
    wanted: ChannelTest | None = None,  # noqa: PT028 - no test of ours
) -> ChannelTestOutcome:
    """Send a test notification and say how it went."""
    return await service.try_channel(
        session, actor, outgoing, channel_id, wanted.recipient if wanted else None
    )
