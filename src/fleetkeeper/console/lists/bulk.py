"""Changing many of a list: choose how, see what would become of each, then do it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Facts, Option, Panel, Row, Table, Tag
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.panels import REASON, refused, show_page
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection

Model = TypeVar("Model", bound=BaseModel)
# Results that a page shows; those that were refused come first.
SHOWN = 200
STAGE, IDS, MATCHING = "stage", "ids", "matching"
_ORDER = ("refused", "changed", "unchanged")
_TONES = {"refused": "bad", "changed": "good", "unchanged": ""}
Sent = Mapping[str, list[str]]


@dataclass(frozen=True)
class BulkEdit(Generic[Model]):
    """A form whose empty fields change nothing.

    `apply` takes the selection, the changes, and whether it shall only say what would become of each.
    """

    path: str
    title: str
    noun: tuple[str, str]
    form: Form[Model]
    options: Mapping[str, Sequence[Option]]
    apply: Callable[[Selection, Model, bool], Awaitable[BulkResult]]


def selection_in(sent: Sent) -> Selection:
    """What was ticked, or all that match the list's filters. Raises InvalidInputError."""
    if matching := next(iter(sent.get(MATCHING, ())), ""):
        return Selection(matching=matching)
    texts = [text for value in sent.get(IDS, ()) for text in value.split(",") if text]
    try:
        ids = [UUID(text) for text in texts]
    except ValueError:
        ids = []
    if not ids:
        raise InvalidInputError("Nothing is selected.", fields=[FieldError(IDS, "Tick at least one row")])
    return Selection(ids=ids)


async def bulk_page(actor: Actor, edit: BulkEdit[Model], sent: Sent) -> Response:
    """The page for what was sent: the form, its preview, or what became of each. Raises InvalidInputError."""
    selection = selection_in(sent)
    stage = next(iter(sent.get(STAGE, ())), "")
    if not stage:
        return _show(actor, edit, [_edit_form(edit, selection)])
    try:
        changes = _changes(edit, sent)
        result = await edit.apply(selection, changes, stage != "apply")
    except FleetkeeperError as error:
        return _show(actor, edit, [refused(_edit_form(edit, selection), error, sent)], error.status)
    panels: list[Panel] = [_summary(result), _table(edit, result)]
    if result.dry_run and result.changed:
        panels.insert(1, _apply_form(edit, selection, sent, result.changed))
    return _show(actor, edit, panels)


def _show(actor: Actor, edit: BulkEdit[Model], panels: Sequence[Panel], status: int = 200) -> Response:
    crumbs = ((edit.path, edit.noun[1].capitalize()),)
    return show_page(actor, edit.path, edit.title, panels, crumbs=crumbs, status=status)


def _changes(edit: BulkEdit[Model], sent: Sent) -> Model:
    """Only what was filled in: an empty field stays as each of them has it."""
    named = [name for name in edit.form.widgets if any(text.strip() for text in sent.get(name, ()))]
    if not named:
        raise InvalidInputError("Change at least one field.")
    return edit.form.read(sent, only=named)


def _carried(selection: Selection) -> list[Entry]:
    if selection.matching is not None:
        return [Entry(MATCHING, "", selection.matching, kind="hidden")]
    return [Entry(IDS, "", ",".join(map(str, selection.ids or ())), kind="hidden")]


def _edit_form(edit: BulkEdit[Model], selection: Selection) -> EntryForm:
    number = "all that match" if selection.ids is None else f"{len(selection.ids)} selected"
    options = {name: [Option("", "No change"), *choices] for name, choices in edit.options.items()}
    shown = edit.form.shown(f"{edit.path}/bulk", options=options, is_open=True)
    stage = Entry(STAGE, "", "preview", kind="hidden")
    return EntryForm(
        edit.form.id,
        f"{edit.title} ({number})",
        shown.action,
        "Preview",
        (*shown.entries, stage, *_carried(selection)),
        text="Empty fields stay as they are. Nothing changes before you have seen the preview.",
        is_open=True,
    )


def _apply_form(edit: BulkEdit[Model], selection: Selection, sent: Sent, number: int) -> EntryForm:
    named = ((name, text) for name in edit.form.widgets for text in sent.get(name, ()) if text)
    kept = [Entry(name, "", text, kind="hidden") for name, text in named]
    noun = edit.noun[number != 1]
    return EntryForm(
        "apply",
        f"Change {number:,} {noun}?",
        f"{edit.path}/bulk",
        f"Change {number:,} {noun}",
        (REASON, *kept, Entry(STAGE, "", "apply", kind="hidden"), *_carried(selection)),
        is_open=True,
    )


def _summary(result: BulkResult) -> Facts:
    will = "Will change" if result.dry_run else "Changed"
    facts = (
        (will, Cell(f"{result.changed:,}")),
        ("No change needed", Cell(f"{result.unchanged:,}")),
        ("Cannot be changed" if result.dry_run else "Not changed", Cell(f"{result.refused:,}")),
    )
    return Facts("summary", "Preview" if result.dry_run else "Done", facts)


def _table(edit: BulkEdit[Model], result: BulkResult) -> Table:
    items = sorted(result.results, key=lambda one: _ORDER.index(one.outcome))
    rest = len(items) - SHOWN
    text = f"{rest:,} more are not listed here." if rest > 0 else ""
    columns = (edit.noun[0].capitalize(), "Result", "Details")
    rows = tuple(_row(edit, one, dry_run=result.dry_run) for one in items[:SHOWN])
    return Table("results", "Results", columns, rows, text=text, count=len(items))


def _row(edit: BulkEdit[Model], one: BulkItem, *, dry_run: bool) -> Row:
    words = {"refused": "Cannot change" if dry_run else "Not changed", "unchanged": "No change needed"}
    result = words.get(one.outcome, "Will change" if dry_run else "Changed")
    name = Cell(one.name or str(one.id), f"{edit.path}/{one.id}" if one.name else "")
    return Row((name, Cell(tags=(Tag(result, _TONES[one.outcome]),)), Cell(one.detail, is_soft=True)))
