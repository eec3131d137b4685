"""`/custom-fields/objects`: changing and revealing the values that objects have, which stand on their pages."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from fleetkeeper.annotations.access import FieldsRead, FieldsReveal
from fleetkeeper.annotations.fields import values
from fleetkeeper.annotations.objects import KINDS, check_writable
from fleetkeeper.console.contexts.panels import Secret
from fleetkeeper.console.details import tab_of
from fleetkeeper.console.field_panels import refused_form, sent_values, values_address, values_form
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.panels import show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.oidc.access import InstallationSealer

router = APIRouter(prefix="/custom-fields/objects/{object_type}/{object_id}")
ObjectType = Annotated[str, Path(max_length=63)]


@router.post("")
async def change_values(
    request: Request,
    object_type: ObjectType,
    object_id: UUID,
    sent: FormLists,
    actor: FieldsRead,
    session: Session,
    sealer: InstallationSealer,
) -> Response:
    """Change an object's values."""
    found = await check_writable(session, actor, object_type, object_id)
    present = await values.read_values(session, actor, object_type, object_id)

    async def change() -> object:
        wanted = sent_values(present.fields, sent)
        return await values.change_values(
            session, actor, sealer, object_type, object_id, wanted, version_in(sent)
        )

    async def again(error: FleetkeeperError) -> Response:
        form = values_form(present, values_address(object_type, object_id))
        crumbs = ((tab_of(found.href, "fields"), found.label),)
        shown = refused_form(form, error, sent)
        return show_page(actor, "", "Edit custom fields", [shown], crumbs=crumbs, status=error.status)

    return await submit(request, session, change(), lambda _: tab_of(found.href, "fields"), again)


@router.post("/{name}/reveal")
async def reveal_value(
    object_type: ObjectType,
    object_id: UUID,
    name: Annotated[str, Path(max_length=60)],
    actor: FieldsReveal,
    session: Session,
    sealer: InstallationSealer,
) -> Response:
    """Show a sensitive value once."""
    revealed = await values.reveal_value(session, actor, sealer, object_type, object_id, name)
    back = tab_of(KINDS[object_type].href.format(object_id), "fields")
    secret = Secret(
        "revealed",
        revealed.label,
        revealed.value,
        "The audit log records that you saw it. Leave this page to hide it.",
    )
    return show_page(actor, "", revealed.label, [secret], crumbs=((back, revealed.object),))
