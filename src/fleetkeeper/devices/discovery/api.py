"""`/api/v1/discovery`: the fleet for Prometheus and for Ansible."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.discovery import service
from fleetkeeper.devices.discovery.ansible import inventory
from fleetkeeper.devices.discovery.found import FoundDevice
from fleetkeeper.devices.discovery.http_sd import target_groups
from fleetkeeper.devices.queries import LISTING
from fleetkeeper.devices.revisions.moments import CHANGED_SINCE
from fleetkeeper.devices.service import silence_allowed
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.settings import Settings

router = APIRouter(prefix="/discovery", tags=["discovery"], responses=problem_responses(401, 403, 422))
# What was is no place to look for machines.
_NOW = replace(LISTING, special={CHANGED_SINCE: LISTING.special[CHANGED_SINCE]})
Asked = Annotated[ListParameters, listed_by(_NOW, is_paged=False)]
Reached = Annotated[
    Literal["address", "fqdn", "hostname"],
    Query(alias="target", description="What a device is reached by first; where it has none, what it has"),
]
_OWN = frozenset({"port", "target"})


class TargetGroup(BaseModel):
    """A device as Prometheus scrapes it."""

    targets: list[str]
    labels: dict[str, str] = Field(description="Named `__meta_fleetkeeper_…`, for relabeling")


async def _find(
    session: AsyncSession, actor: Actor, settings: Settings, asked: ListParameters
) -> list[FoundDevice]:
    stale_before = utc_now() - await silence_allowed(session, settings)
    parameters = [(name, text) for name, text in asked if name not in _OWN]
    return await service.find_devices(session, actor, parameters, stale_before=stale_before)


@router.get("/http-sd", response_model=list[TargetGroup])
async def list_targets(
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    asked: Asked,
    port: Annotated[int, Query(ge=1, le=65535, description="Port of the exporter on each device")] = 9100,
    target: Reached = "address",
) -> Response:
    """List the devices that match as targets of Prometheus (`http_sd_configs`)."""
    groups = target_groups(await _find(session, actor, settings, asked), port=port, address=target)
    return _json(groups)


@router.get("/ansible-inventory", response_model=dict[str, Any])
async def get_inventory(
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    asked: Asked,
    target: Reached = "address",
) -> Response:
    """Get the devices that match as an inventory of Ansible, in groups such as `type_server` and `tag_web`."""
    return _json(inventory(await _find(session, actor, settings, asked), address=target))


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
