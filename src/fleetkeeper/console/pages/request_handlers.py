"""`/request-handlers`."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Option
from fleetkeeper.console.forms.form import Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options, departments
from fleetkeeper.console.records import record_pages
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.device_requests.handlers.schemas import HandlerKind, RequestHandlerRead
from fleetkeeper.device_requests.handlers.service import handlers
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.durations import duration_words
from fleetkeeper.notifications.channels.service import list_channels

HOME = "/request-handlers"
declare(
    Place(
        HOME,
        "Request handlers",
        "users-group",
        Permission.REQUESTS_READ,
        parent=REQUESTS_HOME,
        order=14,
        words="agents webhooks automation lease",
    )
)
_KINDS = {
    HandlerKind.PEOPLE: ("People", "They take requests in the console"),
    HandlerKind.AGENT: ("Agent", "It leases requests through the API; unsure answers wait for a person"),
    HandlerKind.WEBHOOK: ("Webhook", "Requests are sent to a channel; its answer is the response"),
    HandlerKind.AUTOMATION: ("Automation", "Fleetkeeper answers by itself"),
}


async def _options(session: AsyncSession, actor: Actor) -> Options:
    channels = []
    if actor.may(Permission.NOTIFICATIONS_READ):
        found = await list_channels(session, actor, [("kind", "webhook"), ("limit", "200")])
        channels = [Option(str(one.id), one.name) for one in found.results]
    return {
        **await departments(Permission.REQUESTS_WRITE)(session, actor),
        "kind": [Option(kind, label, hint=hint) for kind, (label, hint) in _KINDS.items()],
        "channel_id": [Option("", "None"), *channels],
        "response_channel_id": [Option("", "None"), *channels],
    }


PAGE: ListPage[RequestHandlerRead] = ListPage(
    path=HOME,
    title="Request handlers",
    noun=handlers.noun,
    listing=handlers.listing,
    search="Name",
    quick=(
        QuickFilter("kind", "Kind", tuple(Choice(one, words_of(one)) for one in HandlerKind), is_chips=True),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("kind", "Kind", lambda one: Cell(_KINDS[one.kind][0]), sort="kind"),
        Column("request_types", "Request types", lambda one: Cell(_types(one))),
        Column("lease_seconds", "Lease", lambda one: Cell(duration_words(one.lease_seconds))),
        Column("max_attempts", "Attempts", lambda one: Cell(str(one.max_attempts)), css="is-minor"),
        Column("enabled", "Enabled", lambda one: Cell("Yes" if one.enabled else "No"), sort="enabled"),
    ),
    titles={"id": "ID", "department_id": "Department ID", "created_at": "Created"},
    empty=Empty(
        "No handlers yet",
        "A handler says who answers which requests of devices. Add one to let agents or webhooks answer.",
    ),
    export="/api/v1/request-handlers/export",
)


def _types(one: RequestHandlerRead) -> str:
    return "All" if "*" in one.request_types else ", ".join(one.request_types)


router = record_pages(
    handlers,
    PAGE,
    {
        "name": "Name",
        "kind": Widget("Kind", kind="choice"),
        "request_types": Widget("Request types", kind="text", hint="Separated by commas; * is every type"),
        "department_id": Widget("Department", hint="Requests of this department and those below it"),
        "lease_seconds": Widget(
            "Lease", kind="duration", hint="Others get the request if nothing is heard for so long"
        ),
        "max_attempts": Widget("Attempts", hint="After so many the request has failed"),
        "channel_id": Widget("Channel", kind="select", only_if="kind=webhook", is_required=False),
        "response_channel_id": Widget(
            "Response channel", kind="select", is_required=False, hint="Answers are also sent to this webhook"
        ),
        "enabled": Widget("Enabled"),
    },
    options=_options,
    deletion="Requests that it has now are pending again when their lease ends.",
)
