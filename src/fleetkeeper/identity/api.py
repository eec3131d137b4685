"""`/api/v1/me`."""

from fastapi import APIRouter

from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.schemas import WhoAmI

router = APIRouter(tags=["identity"])


@router.get("/me", responses=problem_responses(401))
async def who_am_i(actor: SignedIn) -> WhoAmI:
    """Say who is calling and what they may do."""
    return WhoAmI(
        user_id=actor.user_id,
        username=actor.username,
        role=actor.role,
        permissions=sorted(actor.permissions),
    )
