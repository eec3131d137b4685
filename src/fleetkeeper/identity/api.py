"""`/api/v1/me`."""

from fastapi import APIRouter

from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedInToEnrol
from fleetkeeper.identity.schemas import PermissionScope, WhoAmI

router = APIRouter(tags=["identity"])


@router.get("/me", responses=problem_responses(401))
async def who_am_i(actor: SignedInToEnrol) -> WhoAmI:
    """Say who is calling and what they may do."""
    return WhoAmI(
        user_id=actor.user_id,
        username=actor.name,
        roles=list(actor.roles),
        permissions=sorted(actor.permissions),
        scopes=[
            PermissionScope(
                permission=permission, everywhere=scope.everywhere, departments=sorted(scope.departments)
            )
            for permission, scope in sorted(actor.grants.items())
        ],
        must_enrol_second_factor=actor.must_enrol_second_factor,
    )
