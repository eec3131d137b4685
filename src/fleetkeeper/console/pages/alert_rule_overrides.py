"""`/alerts/rules/{key}/overrides`: what is different for a device or a tag."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.alerts.access import AlertsWrite
from fleetkeeper.alerts.overrides import service
from fleetkeeper.alerts.overrides.schemas import AlertOverrideRead
from fleetkeeper.console.alert_rule_overrides import FORM, wanted_of
from fleetkeeper.console.details import Refusal, tab_of
from fleetkeeper.console.pages.alert_rules import HOME, show_rule_page
from fleetkeeper.console.panels import at_entries, done, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError

router = APIRouter()


@router.post(f"{HOME}/{{key}}/overrides")
async def save_override(
    request: Request, key: UUID, sent: FormLists, actor: AlertsWrite, session: Session
) -> Response:
    """Make the override of a device or tag, or replace it."""

    async def apply() -> AlertOverrideRead:
        wanted = await wanted_of(session, actor, FORM.read(sent))
        return await service.put(session, actor, key, wanted)

    async def again(error: FleetkeeperError) -> Response:
        shown = at_entries(error, {"device_id": "device"})
        return await show_rule_page(
            request, session, actor, key, Refusal("override", shown, sent, "overrides")
        )

    return await submit(request, session, apply(), lambda _: tab_of(f"{HOME}/{key}", "overrides"), again)


@router.post(f"{HOME}/{{key}}/overrides/{{override_id}}/delete")
async def remove_override(
    request: Request, key: UUID, override_id: UUID, actor: AlertsWrite, session: Session
) -> Response:
    """Remove an override."""
    await service.delete(session, actor, key, override_id)
    return done(request, tab_of(f"{HOME}/{key}", "overrides"))
