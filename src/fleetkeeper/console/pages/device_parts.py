"""`/devices/{id}/parts/…` and `/devices/{id}/relations`: the forms of a device's tabs."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.details import Refusal
from fleetkeeper.console.device_names import device_named
from fleetkeeper.console.device_parts import BY_NAME, PartKind
from fleetkeeper.console.device_relations import FORM, as_written
from fleetkeeper.console.pages.devices import device_page
from fleetkeeper.console.panels import at_entries, done, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices.access import DevicesWrite
from fleetkeeper.devices.relationships.service import relationships
from fleetkeeper.errors import FleetkeeperError, NotFoundError

router = APIRouter(prefix="/devices/{device_id}")


def _kind(name: str) -> PartKind:
    found = BY_NAME.get(name)
    if found is None:
        raise NotFoundError("There is no such kind of part.")
    return found


@router.post("/parts/{kind}")
async def add_part(
    request: Request,
    device_id: UUID,
    kind: str,
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Add a part to a device."""
    wanted = _kind(kind)

    async def make() -> object:
        entry = wanted.form.read({**sent, "device_id": [str(device_id)]})
        return await wanted.parts.create(session, actor, entry)

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(wanted.form.id, error, sent, wanted.tab)
        return await device_page(request, session, actor, settings, device_id, refusal)

    return await submit(request, session, make(), lambda _: f"/devices/{device_id}?tab={wanted.tab}", again)


@router.post("/parts/{kind}/{part_id}/delete")
async def remove_part(
    request: Request, device_id: UUID, kind: str, part_id: UUID, actor: DevicesWrite, session: Session
) -> Response:
    """Remove a part from a device."""
    wanted = _kind(kind)
    part = await wanted.parts.get(session, actor, part_id)
    if part.device_id != device_id:
        raise NotFoundError("This device has no such part.")
    await wanted.parts.delete(session, actor, part_id)
    return done(request, f"/devices/{device_id}?tab={wanted.tab}")


@router.post("/relations")
async def add_relation(
    request: Request,
    device_id: UUID,
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Relate a device to another one."""

    async def make() -> object:
        entry = FORM.read(sent)
        other = await device_named(session, actor, entry.device)
        return await relationships.create(session, actor, as_written(device_id, entry.relation, other.id))

    async def again(error: FleetkeeperError) -> Response:
        told = at_entries(error, {"child_device_id": "device", "parent_device_id": "device"})
        return await device_page(
            request, session, actor, settings, device_id, Refusal(FORM.id, told, sent, "relations")
        )

    return await submit(request, session, make(), lambda _: f"/devices/{device_id}?tab=relations", again)


@router.post("/relations/{relation_id}/delete")
async def remove_relation(
    request: Request, device_id: UUID, relation_id: UUID, actor: DevicesWrite, session: Session
) -> Response:
    """Remove a relation of a device."""
    relation = await relationships.get(session, actor, relation_id)
    if device_id not in (relation.parent_device_id, relation.child_device_id):
        raise NotFoundError("This device has no such relation.")
    await relationships.delete(session, actor, relation_id)
    return done(request, f"/devices/{device_id}?tab=relations")
