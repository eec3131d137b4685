"""`/api/v1/account/notification-preferences`."""

from fastapi import APIRouter

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.notifications.preferences import service
from fleetkeeper.notifications.preferences.schemas import Preferences

router = APIRouter(prefix="/account/notification-preferences", tags=["notifications"])


@router.get("", responses=problem_responses(401))
async def read_preferences(actor: SignedIn, session: Session) -> Preferences:
    """Get how you want to be told."""
    return await service.read_preferences(session, actor)


@router.put("", responses=problem_responses(400, 401, 403, 422))
async def write_preferences(wanted: Preferences, actor: SignedIn, session: Session) -> Preferences:
    """Choose how you want to be told."""
    return await service.write_preferences(session, actor, wanted)
