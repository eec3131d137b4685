"""Rules of which source counts: everybody who sees devices sees them, and who may change all devices changes them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from fleetkeeper.devices.precedence.models import AttributeRule
from fleetkeeper.devices.precedence.schemas import RulePage, RuleRead, RuleWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.records.service import Records

LISTING = Listing(
    fields={
        "id": Field(AttributeRule.id.expression, UUID, sortable=False),
        "attribute": Field(AttributeRule.attribute.expression, str),
        "source_system": Field(AttributeRule.source_system.expression, str),
        "rank": Field(AttributeRule.rank.expression, int),
    },
    search=(AttributeRule.attribute.expression, AttributeRule.source_system.expression),
    key=AttributeRule.id.expression,
    default_ordering="rank",
)


class AttributeRules(Records[RuleWrite, RuleRead]):
    """Rules, which belong to the installation and no department."""

    def visible_to(self, actor: Actor) -> Select[Any]:
        """All of them."""
        del actor
        return select(AttributeRule)


attribute_rules = AttributeRules(
    model=AttributeRule,
    listing=LISTING,
    write_as=RuleWrite,
    read_as=RuleRead,
    page_as=RulePage,
    noun=("attribute rule", "attribute rules"),
    page="/attribute-rules/{}",
    label="attribute",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
)
