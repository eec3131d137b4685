"""Changing or deleting many of a list: choose how, see what would become of each, then do it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Facts, Option, Panel, Row, Table, Tag
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.panels import REASON, model_of, refused, show_page
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection

Model = TypeVar("Model", bound=BaseModel)
# Results that a page shows; those that were refused come first.
SHOWN = 200
STAGE, IDS, MATCHING, EXPECTED = "stage", "ids", "matching", "expected"
_ORDER = ("refused", "held", "changed", "unchanged")
_TONES = {"refused": "bad", "held": "warning", "changed": "good", "unchanged": ""}
Sent = Mapping[str, list[str]]


@dataclass(frozen=True)
class Words:
    """How an action on many is spoken of, before and after."""

    button: str
    will: str
    did: str
    cannot: str
    did_not: str
    consequence: str = ""
    # Whether what is done to one removes it.
    removes: bool = False


CHANGE = Words("Change", "Will change", "Changed", "Cannot be changed", "Not changed")


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
    action: str = "bulk"
    words: Words = CHANGE


@dataclass(frozen=True)
class BulkAct:
    """The same without a form: the preview comes first, with what follows from it."""

    path: str
    title: str
    noun: tuple[str, str]
    # Takes the selection, and how many are to go, as the preview said; None for the preview itself.
    apply: Callable[[Selection, int | None], Awaitable[BulkResult]]
    words: Words
    action: str


def selection_in(sent: Sent) -> Selection:
    """What was ticked, or all that match the list's filters. Raises InvalidInputError."""
    if matching := next(iter(sent.get(MATCHING, ())), ""):
        return model_of(Selection, {"matching": matching})
    texts = [text for value in sent.get(IDS, ()) for text in value.split(",") if text]
    try:
        ids = [UUID(text) for text in texts]
    except ValueError:
        ids = []
    if not ids:
        raise InvalidInputError("Nothing is selected.", fields=[FieldError(IDS, "Select at least one row")])
    return model_of(Selection, {"ids": ids})


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
    panels: list[Panel] = [_summary(edit, result), _table(edit, result)]
    if result.dry_run and result.changed:
        panels.insert(1, _apply_form(edit, selection, sent, result.changed))
    return _show(actor, edit, panels)


async def bulk_act_page(actor: Actor, edit: BulkAct, sent: Sent) -> Response:
    """The preview, or what became of each. Raises InvalidInputError for a selection that is none."""
    selection = selection_in(sent)
    is_preview = next(iter(sent.get(STAGE, ())), "") != "apply"
    result = await edit.apply(selection, None if is_preview else _expected(sent))
    panels: list[Panel] = [_summary(edit, result), _table(edit, result)]
    number = result.changed + result.held
    if is_preview and number:
        shown = Entry(EXPECTED, "", str(number), kind="hidden")
        panels.insert(1, _confirmation(edit, number, [REASON, shown, *_carried(selection)]))
    return _show(actor, edit, panels)


def _expected(sent: Sent) -> int:
    text = next(iter(sent.get(EXPECTED, ())), "")
    if not text.isascii() or not text.isdigit():
        raise InvalidInputError("Open the preview first.")
    return int(text[:9])


def _show(
    actor: Actor, edit: "BulkEdit[Model] | BulkAct", panels: Sequence[Panel], status: int = 200
) -> Response:
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
    options = {
        name: choices if edit.form.kind_of(name) == "ticks" else [Option("", "No change"), *choices]
        for name, choices in edit.options.items()
    }
    shown = edit.form.shown(f"{edit.path}/bulk", options=options, is_open=True)
    stage = Entry(STAGE, "", "preview", kind="hidden")
    return EntryForm(
        edit.form.id,
        f"{edit.title} ({number})",
        shown.action,
        "Preview",
        (*shown.entries, stage, *_carried(selection)),
        text=f"Empty fields stay as they are. You see a preview before anything changes. {edit.form.text}".strip(),
        is_open=True,
    )


def _apply_form(edit: BulkEdit[Model], selection: Selection, sent: Sent, number: int) -> EntryForm:
    named = ((name, text) for name in edit.form.widgets for text in sent.get(name, ()) if text)
    kept = [Entry(name, "", text, kind="hidden") for name, text in named]
    return _confirmation(edit, number, [REASON, *kept, *_carried(selection)])


def _confirmation(edit: "BulkEdit[Model] | BulkAct", number: int, entries: Sequence[Entry]) -> EntryForm:
    what = f"{edit.words.button} {number:,} {edit.noun[number != 1]}"
    return EntryForm(
        "apply",
        f"{what}?",
        f"{edit.path}/{edit.action}",
        what,
        (*entries, Entry(STAGE, "", "apply", kind="hidden")),
        text=edit.words.consequence,
        is_open=True,
        is_danger=bool(edit.words.consequence),
    )


def _summary(edit: "BulkEdit[Model] | BulkAct", result: BulkResult) -> Facts:
    words = edit.words
    counts = (
        (words.will if result.dry_run else words.did, result.changed, True),
        ("Needs approval" if result.dry_run else "Waiting for approval", result.held, False),
        ("No change needed", result.unchanged, not words.removes),
        (words.cannot if result.dry_run else words.did_not, result.refused, True),
    )
    facts = tuple((title, Cell(f"{number:,}")) for title, number, always in counts if always or number)
    return Facts("summary", "Preview" if result.dry_run else "Done", facts)


def _table(edit: "BulkEdit[Model] | BulkAct", result: BulkResult) -> Table:
    items = sorted(result.results, key=lambda one: _ORDER.index(one.outcome))
    rest = len(items) - SHOWN
    text = f"{rest:,} more are not listed here." if rest > 0 else ""
    columns = (edit.noun[0].capitalize(), "Result", "Details")
    rows = tuple(_row(edit, one, dry_run=result.dry_run) for one in items[:SHOWN])
    return Table("results", "Results", columns, rows, text=text, count=len(items))


def _row(edit: "BulkEdit[Model] | BulkAct", one: BulkItem, *, dry_run: bool) -> Row:
    words = edit.words
    results = {
        "refused": words.cannot if dry_run else words.did_not,
        "held": "Needs approval" if dry_run else "Waiting for approval",
        "unchanged": "No change needed",
        "changed": words.will if dry_run else words.did,
    }
    is_there = one.name and (dry_run or one.outcome != "changed" or not words.removes)
    name = Cell(one.name or str(one.id), f"{edit.path}/{one.id}" if is_there else "")
    goes = one.outcome == "changed" and words.removes
    result = Tag(results[one.outcome], "bad" if goes else _TONES[one.outcome])
    return Row((name, Cell(tags=(result,)), Cell(one.detail, is_soft=True)))
