"""Who takes care of an alert: the form, and the people to choose from."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.schemas import AlertDetail, Note
from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.people_options import people
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


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


async def assign_form(session: AsyncSession, actor: Actor, alert: AlertDetail) -> EntryForm:
    """The form, at first with the reader chosen where nobody is assigned."""
    present = Assignment(assignee_id=alert.assignee_id or actor.user_id)
    options = {"assignee_id": await people(session, actor, Permission.ALERTS_READ, alert.department_id)}
    return ASSIGN.shown(f"/alerts/{alert.alert_id}/assign", present, options=options)
