"""`/attribute-rules`: which source counts where several tell of a device."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.attribute_words import attribute_words, source_words
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Option
from fleetkeeper.console.forms.form import Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options
from fleetkeeper.console.records import record_pages
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES
from fleetkeeper.devices.precedence.resolving import ANY_ATTRIBUTE
from fleetkeeper.devices.precedence.schemas import RuleRead
from fleetkeeper.devices.precedence.service import attribute_rules
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

HOME = "/attribute-rules"
declare(
    Place(
        HOME,
        "Attribute rules",
        "list-numbers",
        Permission.DEVICES_READ,
        parent="/devices",
        order=26,
        words="precedence sources rank priority",
    )
)


PAGE: ListPage[RuleRead] = ListPage(
    path=HOME,
    title="Attribute rules",
    noun=attribute_rules.noun,
    listing=attribute_rules.listing,
    search="Attribute or source",
    columns=(
        Column(
            "attribute",
            "Attribute",
            lambda one: Cell(attribute_words(one.attribute), f"{HOME}/{one.id}"),
            sort="attribute",
        ),
        Column(
            "source_system", "Source", lambda one: Cell(source_words(one.source_system)), sort="source_system"
        ),
        Column("rank", "Rank", lambda one: Cell(str(one.rank)), sort="rank"),
        Column(
            "max_age_days",
            "Age limit",
            lambda one: Cell(f"{one.max_age_days} days" if one.max_age_days else "None"),
            field=None,
        ),
    ),
    titles={"id": "ID"},
    text="Of the sources that tell an attribute, the one with the lowest rank counts. A value older than its age limit "
    "counts only if no other source has a newer one.",
    empty=Empty("No attribute rules", "Without rules, the source that has known a device longest counts."),
    export="/api/v1/attribute-rules/export",
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    del session, actor
    return {
        "attribute": [Option(name, attribute_words(name)) for name in (ANY_ATTRIBUTE, *ATTRIBUTES)],
    }


router = record_pages(
    attribute_rules,
    PAGE,
    {
        "attribute": Widget("Attribute", kind="select"),
        "source_system": Widget("Source", "Such as agent, vcenter, foreman or manual"),
        "rank": Widget("Rank", "The source with the lowest rank counts"),
        "max_age_days": Widget(
            "Age limit in days", "An older value counts only if no other source has a newer one"
        ),
    },
    options=_options,
    deletion="Devices keep their values until a source reports again. This cannot be undone.",
)
