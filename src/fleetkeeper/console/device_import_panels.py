"""An import of devices as panels: its mapping as a form, its rows as a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from pydantic import BaseModel, create_model

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Note, Option, Panel, Row, Table, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.panels import act_form
from fleetkeeper.devices.importing.fields import title_of
from fleetkeeper.devices.importing.queries import ITEMS, OUTCOMES, RESULTS, UNDONE
from fleetkeeper.devices.importing.schemas import FieldRead, ImportRead, ImportWrite, ItemRead
from fleetkeeper.devices.importing.status import OPEN, ImportStatus

HOME = "/device-imports"
MAPPING = "mapping"
PROGRESS = "progress"
# Of a text in a form or a list.
_LONGEST = 60
_TONES = {
    "wrong": "bad",
    "failed": "bad",
    "kept": "warning",
    "held": "warning",
    "created": "good",
    "updated": "good",
}
_TO_DO = {"create": "to create", "update": "to update"}
_OPTIONS = {
    "identify_by": Widget(
        "Match devices by", "Which field tells what device a row is about; a name counts in its department"
    ),
    "existing": Widget("Existing devices", "What happens to devices that a row matches"),
    "empty_cells": Widget("Empty cells", "Whether they keep or clear the value of an existing device"),
    "all_or_nothing": Widget("If a row fails", "Leave out the row, or import nothing of the file"),
}
_WORDS = {
    "identify_by": {
        "id": "Device ID",
        "name": "Name",
        "serial_number": "Serial number",
        "asset_tag": "Asset tag",
    },
    "existing": {"update": "Update", "leave": "Leave as they are"},
    "empty_cells": {"keep": "Keep the value", "clear": "Clear the value"},
    "all_or_nothing": {"row": "Leave out the row", "file": "Import nothing"},
}


@dataclass(frozen=True)
class MappingForm:
    """The form of one file, with a choice of fields for each of its columns."""

    made: ImportRead
    fields: Sequence[FieldRead]
    # The first text of each column.
    samples: Mapping[str, str] = field(default_factory=dict)

    def _form(self) -> Form[BaseModel]:
        texts: dict[str, Any] = {f"column_{place}": (str, "") for place in range(len(self.made.columns))}
        options: dict[str, Any] = dict.fromkeys(_OPTIONS, (str, ...))
        columns = {
            f"column_{place}": Widget(name, self._hint(name), kind="select")
            for place, name in enumerate(self.made.columns)
        }
        model: type[BaseModel] = create_model("MappingEntry", **texts, **options)
        return Form(
            model,
            MAPPING,
            "Columns and options",
            "Save and run dry run",
            {**columns, **_OPTIONS},
            text="Choose a field for each column of the file. The dry run changes nothing: it shows below what each "
            "row would do.",
        )

    def _hint(self, column: str) -> str:
        sample = self.samples.get(column, "")
        return f"Such as {_short(sample)}" if sample else "Empty in the first rows"

    def panel(self) -> Panel:
        """The form with what is chosen now."""
        form = self._form()
        places = {
            f"column_{place}": self.made.mapping.get(name) or ""
            for place, name in enumerate(self.made.columns)
        }
        present = form.model.model_construct(None, **places, **self.made.model_dump(include=set(_OPTIONS)))
        fields = (Option("", "Leave out"), *(Option(one.name, one.title) for one in self.fields))
        chosen: dict[str, Sequence[Option]] = dict.fromkeys(places, fields)
        chosen |= {name: tuple(Option(*pair) for pair in words.items()) for name, words in _WORDS.items()}
        return form.shown(f"{HOME}/{self.made.id}", present, options=chosen, is_open=True)

    def read(self, sent: Mapping[str, Sequence[str]]) -> ImportWrite:
        """What a sent form asks for. Raises InvalidInputError."""
        entry = self._form().read(sent).model_dump()
        mapping = {name: entry[f"column_{place}"] or None for place, name in enumerate(self.made.columns)}
        return ImportWrite(mapping=mapping, **{name: entry[name] for name in _OPTIONS})

    def names(self) -> dict[str, str]:
        """The form's fields, by what the service calls them."""
        return {f"mapping.{name}": f"column_{place}" for place, name in enumerate(self.made.columns)}


def status_tag(one: ImportRead) -> Tag:
    """The status of an import."""
    tones = {"applied": "good", "failed": "bad", "applying": "warning", "undoing": "warning"}
    return Tag(words_of(ImportStatus(one.status)), tones.get(one.status, ""))


def counts_text(one: ImportRead) -> str:
    """How many rows there are of each kind."""
    kinds = next(
        (several for several in (UNDONE, RESULTS) if any(name in one.counts for name in several)), OUTCOMES
    )
    shown = dict.fromkeys((*kinds, "unchanged", "wrong"))
    return ", ".join(f"{one.counts[name]:,} {_TO_DO.get(name, name)}" for name in shown if name in one.counts)


def notes_of(one: ImportRead) -> list[Note]:
    """What one should know before anything else."""
    told = [Note(text) for text in one.notes]
    if one.problem:
        told.append(Note(one.problem, tone="bad"))
    return told


def is_under_way(one: ImportRead) -> bool:
    """Whether a job is applying or undoing it."""
    return one.status in {"applying", "undoing"}


def progress_of(one: ImportRead) -> list[Panel]:
    """How far the job is; it looks again by itself, and opens the page anew at the end."""
    if not is_under_way(one):
        return []
    is_undo = one.status == "undoing"
    before, after = (RESULTS[:2], UNDONE) if is_undo else (OUTCOMES[:2], RESULTS)
    total = sum(one.counts.get(name, 0) for name in before)
    done = sum(one.counts.get(name, 0) for name in after)
    row = Row(
        (
            Cell(f"{done:,} of {total:,}"),
            Cell(kind="share", share=100 * done / total if total else 0),
            Cell("Jobs", "/jobs"),
        )
    )
    return [
        Table(
            PROGRESS,
            "Undo in progress" if is_undo else "Import in progress",
            ("Rows", "Done", "Cancel under"),
            (row,),
            text="You can leave this page; the job goes on. Rows that are done stay if you cancel it.",
            refresh_href=f"{HOME}/{one.id}/{PROGRESS}",
        )
    ]


def acts_of(one: ImportRead) -> list[Panel]:
    """What can be done with an import as it is."""
    page = f"{HOME}/{one.id}"
    acts: list[Panel] = []
    number = one.counts.get("create", 0) + one.counts.get("update", 0)
    if one.status == "checked" and number:
        what = f"Creates {one.counts.get('create', 0):,} devices and updates {one.counts.get('update', 0):,}."
        left = f" Rows that are wrong are left out: {one.counts['wrong']:,}." if "wrong" in one.counts else ""
        text = f"{what}{left} You can undo this for 30 days."
        form = act_form("apply", "Import devices", f"{page}/apply", text)
        acts.append(replace(form, is_open=True, is_danger=False))
    if one.status == "applied" and one.undo_until is not None:
        text = (
            "Created devices are deleted and old values restored, except for devices that have changed since."
        )
        acts.append(act_form("undo", "Undo import", f"{page}/undo", text))
    return acts


def deleting(one: ImportRead) -> list[Panel]:
    """The form that removes a file that was not imported."""
    if one.status not in OPEN:
        return []
    page = f"{HOME}/{one.id}"
    return [act_form("delete", "Delete file", f"{page}/delete", "Devices stay as they are.", asks_why=False)]


def rows_page(key: UUID, one: ImportRead) -> ListPage[ItemRead]:
    """The rows of an import."""
    choices = tuple(Choice(name, words_of(name)) for name in OUTCOMES)
    return ListPage(
        path=f"{HOME}/{key}/rows",
        title=one.file_name,
        heading="Rows",
        noun=("row", "rows"),
        listing=ITEMS,
        search="Name",
        quick=(QuickFilter("outcome", "Dry run", choices, is_chips=True),),
        columns=(
            Column("position", "Row", lambda row: Cell(str(row.position)), sort="position"),
            Column("name", "Device", _device, sort="name"),
            Column("outcome", "Outcome", _outcome, sort="outcome"),
            Column("detail", "Details", _detail, field=None, css="is-wide is-breakable"),
        ),
        titles={"device_id": "Device ID", "result": "Result", "undone": "Undo"},
        empty=Empty("No rows", "No rows of the file match."),
        text=counts_text(one) or "Run the dry run to see what each row would do.",
        refresh_seconds=5 if is_under_way(one) else 0,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _device(row: ItemRead) -> Cell:
    href = f"/devices/{row.device_id}" if row.device_id is not None and row.undone != "deleted" else ""
    return Cell(_short(row.name) or "\N{EN DASH}", href)


def _outcome(row: ItemRead) -> Cell:
    told = row.undone or row.result or row.outcome
    return Cell(tags=(Tag(words_of(told), _TONES.get(told, "")),)) if told else Cell("\N{EN DASH}")


def _detail(row: ItemRead) -> Cell:
    told = [f"{title_of(one.field)}: {one.message}" for one in row.problems]
    if not told and row.outcome == "create":
        told = [f"{title_of(one.field)}: {one.after}" for one in row.changes]
    elif not told:
        told = [
            f"{title_of(one.field)}: {one.before or '(empty)'} → {one.after or '(empty)'}"
            for one in row.changes
        ]
    return Cell("; ".join([row.detail, *told] if row.detail else told), is_soft=True)
