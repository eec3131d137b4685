"""What a device would be after a merge, attribute by attribute."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.merging.schemas import MergedAttribute
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.precedence.applying import pins_of, resolved_from, rules
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES
from fleetkeeper.devices.precedence.resolving import MANUAL
from fleetkeeper.devices.sources.queries import sources_of
from fleetkeeper.errors import FieldError, InvalidInputError

# What people alone say, beside what sources tell.
OF_PEOPLE = (
    "lifecycle",
    "location_id",
    "description",
    "purchased_on",
    "warranty_until",
    "end_of_support_on",
)
COMPARED = (*ATTRIBUTES, *OF_PEOPLE)


async def merged_attributes(
    session: AsyncSession, kept: Device, other: Device, chosen: Collection[str], now: datetime
) -> list[MergedAttribute]:
    """Each attribute in which the two differ, and what counts then. Raises InvalidInputError for one there is not."""
    unknown = sorted(set(chosen) - set(COMPARED))
    if unknown:
        wrong = FieldError("take_from_other", f"No such attribute: {', '.join(unknown)[:200]}")
        raise InvalidInputError("The devices were not merged.", fields=[wrong])
    sources = await sources_of(session, [kept.id, other.id])
    entered = {one.device_id for one in sources if one.source_system == MANUAL}
    resolved = resolved_from(
        # As they go: what people entered of the other stays there.
        [
            one
            for one in sources
            if one.source_system != MANUAL or one.device_id == kept.id or kept.id not in entered
        ],
        await pins_of(session, other.id) | await pins_of(session, kept.id),
        await rules(session),
        now,
    )
    found = []
    for name in COMPARED:
        mine, theirs = getattr(kept, name), getattr(other, name)
        if mine == theirs or (theirs in (None, "") and name not in resolved):
            continue
        one = resolved.get(name)
        if name in chosen:
            result, why = theirs, "You chose it."
        elif one is not None:
            result, why = one.value, one.reason
        elif mine in (None, ""):
            result, why = theirs, "Only the other device has it."
        else:
            result, why = mine, "The device that stays has it."
        can_choose = theirs not in (None, "")
        found.append(
            MergedAttribute(
                attribute=name, kept=mine, other=theirs, result=result, why=why, can_choose=can_choose
            )
        )
    return found


def differing(found: Sequence[MergedAttribute]) -> dict[str, Any]:
    """What the device that stays will have in place of what it has."""
    return {one.attribute: one.result for one in found if one.result != one.kept}
