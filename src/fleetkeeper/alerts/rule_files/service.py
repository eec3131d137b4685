"""Imports rule files, and writes them."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rule_files import queries, reading
from fleetkeeper.alerts.rule_files.contents import FileGroup, FileRule, RuleFile, RuleFileError
from fleetkeeper.alerts.rule_files.parsing import MOST_RULES
from fleetkeeper.alerts.rule_files.planning import FileRow, Planned, group_of, plan, stored_values
from fleetkeeper.alerts.rule_files.rendering import render
from fleetkeeper.alerts.rule_files.schemas import (
    FileRuleWrite,
    ImportedGroup,
    ImportedRule,
    Outcome,
    RecordingRuleWrite,
    RuleFileImport,
    RuleFileRead,
)
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.errors import ConflictError, FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor

_Rule = TypeVar("_Rule", AlertRule, FileRow)


def read(text: str) -> RuleFile:
    """What a file holds. Raises InvalidInputError with all that is wrong."""
    try:
        return reading.read(text)
    except RuleFileError as error:
        fields = [FieldError(one.place, one.message) for one in error.problems]
        raise InvalidInputError("The rule file has errors; nothing was imported.", fields=fields) from None


async def import_file(
    session: AsyncSession,
    actor: Actor,
    file: str,
    contents: RuleFile,
    *,
    is_dry_run: bool,
    is_of_folder: bool = False,
) -> RuleFileImport:
    """Make the stored rules of a file as it has them. Raises ForbiddenError, ConflictError, InvalidInputError."""
    if not actor.may_in(rules.write, None):
        raise ForbiddenError(f"This needs the permission {rules.write} everywhere.")
    await queries.hold_file(session, file)
    if not is_of_folder and await queries.is_of_folder(session, file):
        raise ConflictError(f"The file {file} comes from the server's folder of rule files. Change it there.")
    present = await queries.rules_of_file(session, rules.visible_to(actor), file)
    planned = plan(file, contents, present)
    if not is_dry_run:
        await _carry_out(session, actor, planned)
    return _told(file, planned, is_dry_run=is_dry_run)


async def _carry_out(session: AsyncSession, actor: Actor, planned: Sequence[Planned]) -> None:
    for one in planned:
        if one.outcome is Outcome.UNCHANGED:
            continue
        if isinstance(one.present or one.wanted, RecordingRule | RecordingRuleWrite):
            await _record(session, one)
        elif one.wanted is None and one.present is not None:
            await rules.delete(session, actor, one.present.id, by_file=True)
        elif isinstance(one.wanted, FileRuleWrite) and one.present is None:
            await rules.create(session, actor, one.wanted)
        elif isinstance(one.wanted, FileRuleWrite) and one.present is not None:
            await rules.change(session, actor, one.present.id, one.wanted, by_file=True)
    await session.flush()


async def _record(session: AsyncSession, planned: Planned) -> None:
    """The same for a recording rule. What one recorded ends when it is evaluated next, or found to be gone."""
    if planned.wanted is None:
        await session.delete(planned.present)
    elif planned.present is None:
        session.add(RecordingRule(**stored_values(planned.wanted)))
    else:
        for name, value in stored_values(planned.wanted).items():
            setattr(planned.present, name, value)


def _told(file: str, planned: Sequence[Planned], *, is_dry_run: bool) -> RuleFileImport:
    groups: dict[str, ImportedGroup] = {}
    for one in planned:
        group = groups.setdefault(one.group, ImportedGroup(name=one.group, rules=[]))
        group.rules.append(ImportedRule(name=one.name, outcome=one.outcome, changes=one.changes))
    counts = {outcome.value: sum(one.outcome is outcome for one in planned) for outcome in Outcome}
    return RuleFileImport(file=file, dry_run=is_dry_run, groups=list(groups.values()), **counts)


async def list_files(session: AsyncSession, actor: Actor) -> list[RuleFileRead]:
    """The files of the server's folder, with what is wrong with them. Raises ForbiddenError."""
    if not actor.may_everywhere(rules.read):
        raise ForbiddenError(f"This needs the permission {rules.read} everywhere.")
    counts = await queries.count_rules(session)
    return [
        RuleFileRead(name=one.name, synced_at=one.synced_at, rules=counts.get(one.name, 0), error=one.error)
        for one in await queries.files_of_folder(session)
    ]


async def export_file(session: AsyncSession, actor: Actor, file: str | None) -> str:
    """The YAML of an imported file, or of the expressions that people entered. Raises NotFoundError."""
    visible = rules.visible_to(actor)
    if file is None:
        found = await queries.promql_rules_of_people(session, visible, MOST_RULES)
        return render(RuleFile(_groups(found, lambda one: f"rules-{one.interval_seconds}s")))
    of_file = await queries.rules_of_file(session, visible, file)
    if not of_file:
        raise NotFoundError(f"No rules were imported from a file {file!r}.")
    # Groups stand in the order in which they came.
    places = {name: number for number, name in reversed(list(enumerate(map(group_of, of_file))))}
    ordered = sorted(of_file, key=lambda one: (places[group_of(one)], one.position))
    return render(RuleFile(_groups(ordered, group_of)))


def _groups(found: Sequence[_Rule], name_of: Callable[[_Rule], str]) -> tuple[FileGroup, ...]:
    groups = []
    for name, members in groupby(found, name_of):
        listed = list(members)
        rendered = tuple(map(_file_rule, listed))
        first = listed[0]
        groups.append(
            FileGroup(
                name, first.interval_seconds * 1000, first.series_limit, first.query_offset_ms, rendered
            )
        )
    return tuple(groups)


def _file_rule(rule: FileRow) -> FileRule:
    if isinstance(rule, RecordingRule):
        return FileRule(expr=rule.expr, record=rule.name, labels=dict(rule.labels))
    labels, annotations = dict(rule.labels), dict(rule.annotations)
    if rule.origin != "file":
        labels.setdefault("severity", rule.severity)
        for name, text in (("description", rule.description), ("runbook_url", rule.runbook_url)):
            if text and "{{" not in text:
                annotations.setdefault(name, text)
    return FileRule(
        expr=rule.condition["expr"],
        alert=rule.name,
        for_ms=rule.for_seconds * 1000,
        keep_firing_ms=rule.keep_firing_seconds * 1000,
        labels=labels,
        annotations=annotations,
    )
