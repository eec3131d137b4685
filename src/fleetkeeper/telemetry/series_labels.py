"""Which labels and values series have, told without looking at each series where that can be."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.candidates import find_candidates, names_in
from fleetkeeper.telemetry.catalogue import Between
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.own_series import AGENT_JOB, DEPARTMENT, DEVICE, DEVICE_LABELS, INSTANCE, JOB, TYPE
from fleetkeeper.telemetry.selection import find_series, with_samples


async def label_names(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    between: Between | None = None,
) -> list[str]:
    """The names of all labels of the selected series, in order; narrowed as `with_samples` does."""
    names: set[str] = set()
    for labels in await _label_sets(session, actor, matcher_sets, DEVICE_LABELS, limit, between):
        names.update(labels)
        if INSTANCE not in labels:
            names.update((INSTANCE, DEVICE, TYPE))
    if TYPE in names:
        for name in {JOB, DEPARTMENT} - names:
            if await _values_of_origins(session, actor, name, matcher_sets, between) - {""}:
                names.add(name)
    return sorted(names)


async def label_values(
    session: AsyncSession,
    actor: Actor,
    name: str,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    between: Between | None = None,
) -> list[str]:
    """The values that a label has in the selected series, in order; narrowed as `with_samples` does."""
    if name in {INSTANCE, DEVICE}:
        series = await find_series(session, actor, matcher_sets, limit=limit, with_up=True)
        series = await with_samples(session, series, between)
        return sorted({item.labels[name] for item in series if name in item.labels})
    found = await _label_sets(session, actor, matcher_sets, (name,), limit, between)
    values = {labels[name] for labels in found if name in labels}
    if name in DEVICE_LABELS:
        values |= await _values_of_origins(session, actor, name, matcher_sets, between)
    return sorted(values - {""})


async def _values_of_origins(
    session: AsyncSession,
    actor: Actor,
    name: str,
    matcher_sets: Sequence[Sequence[Matcher]],
    between: Between | None,
) -> set[str]:
    """What devices give to series that say nothing of their origin, told without looking at each of them."""
    channels = await catalogue.channels_named(session, names_in(matcher_sets, with_up=True))
    candidates, by_layout = find_candidates(channels, matcher_sets, with_up=True)
    own = {key for key, item in candidates.items() if INSTANCE not in item.labels and not item.marked}
    if any(candidates[key].depends_on_device for key in own):
        # Each of them was looked at.
        return set()
    layouts = sorted(
        layout for layout, places in by_layout.items() if own.intersection(key for _, key in places)
    )
    if name == JOB:
        uses = await catalogue.layouts_in_use(session, actor, layouts, between)
        return {AGENT_JOB} if any(row.is_whole for row in uses) else set()
    rows = await catalogue.attributes_in_use(session, actor, layouts, between)
    return {getattr(row, name) for row in rows}


async def _label_sets(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    asked: Iterable[str],
    limit: int,
    between: Between | None,
) -> list[Mapping[str, str]]:
    """Labels of the selected series; without those of the device where nothing that is asked depends on it."""
    channels = await catalogue.channels_named(session, names_in(matcher_sets, with_up=True))
    candidates, by_layout = find_candidates(channels, matcher_sets, with_up=True)
    by_device = any(
        candidate.depends_on_device or not {*candidate.marked}.isdisjoint({*asked} - DEVICE_LABELS)
        for candidate in candidates.values()
    )
    if by_device:
        series = await find_series(session, actor, matcher_sets, limit=limit, with_up=True)
        return [item.labels for item in await with_samples(session, series, between)]
    seen: set[int] = set()
    for row in await catalogue.layouts_in_use(session, actor, sorted(by_layout), between):
        seen.update(
            channel_id
            for position, channel_id in by_layout[row.layout_id]
            if row.is_whole or (channel_id > 0 and row.present >> (position - 1) & 1)
        )
    if between is not None:
        rest = candidates.keys() - seen
        stored = await catalogue.channels_stored(session, actor, sorted({*map(abs, rest)}), between)
        seen |= {channel_id for channel_id in rest if abs(channel_id) in stored}
    return [candidates[channel_id].labels for channel_id in seen]
