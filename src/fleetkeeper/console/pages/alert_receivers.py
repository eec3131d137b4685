"""`/alerts/receivers`: who is told of alerts."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.routing.schemas import AlertReceiverRead, AlertReceiverWrite
from fleetkeeper.alerts.routing.service import receivers
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Option, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, departments, object_pages
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.groups import service as groups
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users import service as users
from fleetkeeper.notifications.channels import service as channels

HOME = "/alerts/receivers"
declare(
    Place(
        HOME,
        "Receivers",
        "users",
        Permission.ALERTS_READ,
        order=17,
        parent="/alerts",
        words="contact on-call",
    )
)
_NOBODY = Tag("No recipients", "warning", "Edit the receiver and add a channel, user, group or email address")
_ONLY_RULES = "Nobody is notified, except by notification rules for alerts.*"
_MOST = [("limit", "200")]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}" if number else ""


def _told(one: AlertReceiverRead) -> Cell:
    parts = (
        _counted(len(one.channel_ids), "channel"),
        _counted(len(one.user_ids), "user"),
        _counted(len(one.group_ids), "group"),
        _counted(len(one.addresses), "address").replace("addresss", "addresses"),
    )
    told = ", ".join(part for part in parts if part)
    return Cell(told) if told else Cell(detail=_ONLY_RULES, tags=(_NOBODY,))


PAGE: ListPage[AlertReceiverRead] = ListPage(
    path=HOME,
    title="Receivers",
    noun=receivers.noun,
    listing=receivers.listing,
    search="Name",
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("channel_ids", "Recipients", _told, field="channel_ids"),
        Column(
            "sends_resolved",
            "Notify when resolved",
            lambda one: Cell("Yes" if one.sends_resolved else "No"),
            field="sends_resolved",
        ),
    ),
    export="/api/v1/alert-receivers/export",
    empty=Empty("No receivers", "Add who is told of alerts, then name them in a route."),
    titles={"department_id": "Department ID", "id": "ID"},
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    found: dict[str, Sequence[Option]] = dict(await departments(Permission.ALERTS_WRITE)(session, actor))
    known = (
        (await channels.list_channels(session, actor, _MOST)).results
        if actor.may(Permission.NOTIFICATIONS_READ)
        else []
    )
    found["channel_ids"] = [Option(str(one.id), one.name) for one in known]
    people = (
        (await users.list_users(session, actor, _MOST)).results if actor.may(Permission.USERS_READ) else []
    )
    found["user_ids"] = [Option(str(one.id), one.username) for one in people]
    listed = (await groups.list_groups(session, _MOST)).results if actor.may(Permission.GROUPS_READ) else []
    found["group_ids"] = [Option(str(one.id), one.name) for one in listed]
    return found


router = object_pages(
    Objects(
        page=PAGE,
        table=receivers.table,
        read=receivers.read,
        write=receivers.write,
        service=Service(receivers.list, receivers.get, receivers.create, receivers.change, receivers.delete),
        form=Form(
            AlertReceiverWrite,
            "receiver",
            "Receiver",
            "Save",
            {
                "name": "Name",
                "channel_ids": Widget("Channels", kind="ticks", is_required=False),
                "user_ids": Widget("Users", "Inbox and email", kind="ticks", is_required=False),
                "group_ids": Widget("Groups", kind="ticks", is_required=False),
                "addresses": Widget(
                    "Additional email addresses", "Separated by commas", kind="text", is_required=False
                ),
                "sends_resolved": "Notify when resolved",
                "department_id": "Department",
            },
        ),
        name=lambda one: one.name,
        facts=lambda one: [
            ("Recipients", _told(one)),
            ("Email addresses", Cell(", ".join(one.addresses))),
            ("Notify when resolved", Cell("Yes" if one.sends_resolved else "No")),
        ],
        options=_options,
        deletion="Routes that name it keep it from being deleted.",
    )
)
