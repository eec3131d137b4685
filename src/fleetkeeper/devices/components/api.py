"""The doors of interfaces, addresses, volumes, hardware, virtual machines and facts, each at the name of its table."""

from typing import Annotated

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.components import service
from fleetkeeper.devices.components.queries import FACTS
from fleetkeeper.devices.components.schemas import FactPage
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.records.api import record_router

router = APIRouter()
for parts in (service.interfaces, service.addresses, service.volumes, service.components, service.vms):
    router.include_router(record_router(parts))


@router.get("/server-facts", tags=["server-facts"], responses=problem_responses(401, 403, 422))
async def list_facts(
    request: Request, actor: DevicesRead, session: Session, asked: Annotated[ListParameters, listed_by(FACTS)]
) -> FactPage:
    """List values of facts; `replaced_at__isnull=true` has those that hold now."""
    return with_links(await service.list_facts(session, actor, asked), request.url.path)
