"""`/api/v1/search`."""

from typing import Annotated

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.text import is_storable
from fleetkeeper.search import service
from fleetkeeper.search.schemas import SearchAnswer

router = APIRouter(tags=["search"])
Typed = Annotated[
    str,
    Query(
        max_length=service.LONGEST,
        description="Words, a serial number, an IP address or its beginning, a network, a MAC address in any form",
    ),
]


@router.get("/search", responses=problem_responses(401, 403, 422))
async def search(
    actor: SignedIn, session: Session, q: Typed, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> SearchAnswer:
    """Search names, serial numbers, addresses, components, configurations, notes, files, tags, locations and rules.

    Results are what you may read, best first: exact matches, then beginnings, then texts that have all words in
    them. One or two characters are compared with whole texts and beginnings only.
    """
    if not is_storable(q):
        wrong = FieldError("q", "Must be text without NUL characters")
        raise InvalidInputError("The search was not understood.", fields=[wrong])
    return await service.search(session, actor, q, limit)
