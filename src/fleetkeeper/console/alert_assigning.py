"""Who takes care of an alert: the form, and the people to choose from."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.schemas import AlertDetail, Note
from fleetkeeper.alerts.log.service import assignable
from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.identity.actor import Actor


class Assignment(BaseModel):
    """Who takes care of it."""

    model_config = ConfigDict(extra="forbid")

    assignee_id: UUID | None = None
    note: Note = ""


ASSIGN = Form(
    Assignment,
    "assign",
    "Assign",
    "Assign",
    {
        "assignee_id": Widget("Assignee", kind="select", is_required=False),
        "note": Widget("Note", kind="area", is_required=False),
    },
    text="Only people who may see the alert are listed. You come first.",
)


async def people(
    session: AsyncSession, actor: Actor, department_id: UUID | None, *, is_anywhere: bool = False
) -> list[Option]:
    """Nobody, the reader, and the others who may see alerts of a department, or of any."""
    found = await assignable(session, actor, department_id, is_anywhere=is_anywhere)
    own = [Option(str(key), f"{name} (you)") for key, name in found if key == actor.user_id]
    others = [Option(str(key), name) for key, name in found if key != actor.user_id]
    return [*own, *others, Option("", "Nobody")]


async def assign_form(session: AsyncSession, actor: Actor, alert: AlertDetail) -> EntryForm:
    """The form, at first with the reader chosen where nobody is assigned."""
    present = Assignment(assignee_id=alert.assignee_id or actor.user_id)
    options = {"assignee_id": await people(session, actor, alert.department_id)}
    return ASSIGN.shown(f"/alerts/{alert.alert_id}/assign", present, options=options)
