"""The usual pages of a room's records, of which the room says only what is its own."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import ListPage
from fleetkeeper.console.objects import Objects, OptionsOf, Pairs, Service, departments, object_pages
from fleetkeeper.identity.actor import Actor
from fleetkeeper.records.service import Records

# Shown by themselves, or as the title.
_ELSEWHERE = frozenset({"department_id"})


def record_pages(
    records: Records[Any, Any],
    page: ListPage[Any],
    labels: Mapping[str, Widget | str],
    *,
    facts: Callable[[Any], Pairs] | None = None,
    consequences: Mapping[str, str] | None = None,
    deletion: str = "This cannot be undone.",
    more: Callable[[AsyncSession, Actor, Any, bool], Awaitable[Panels]] | None = None,
    options: OptionsOf | None = None,
    listed: Callable[[AsyncSession, Actor, list[tuple[str, str]]], Awaitable[Any]] | None = None,
    hidden: Collection[str] = (),
) -> APIRouter:
    """The list, the form for a new one, and the page of one with its tabs.

    `labels` are the fields of the forms; `facts` are what the page of one shows, by default the same fields, as the
    list shows them. `more` are panels below these; it is told whether the reader may change the record. `options` are
    the choices of fields, by default of the department. `listed` reads the list where it shows more than the records;
    `hidden` are fields of the forms that the page of one shows in panels of its own.
    """
    one = records.noun[0]
    shown = {name: label for name, label in labels.items() if name not in hidden}
    return object_pages(
        Objects(
            page=page,
            table=records.table,
            read=records.read,
            write=records.write,
            service=Service(
                listed or records.list,
                records.get,
                records.create,
                records.change,
                records.delete,
                records.move if records.machine is not None else None,
            ),
            form=Form(records.write_as, one, one.capitalize(), "Save", labels),
            name=lambda item: str(getattr(item, records.label)),
            facts=facts or partial(_entered, shown, page, records.label),
            options=options or departments(records.write),
            machine=records.machine,
            consequences=consequences or {},
            deletion=deletion,
            more=more,
        )
    )


def _entered(labels: Mapping[str, Widget | str], page: ListPage[Any], title: str, item: BaseModel) -> Pairs:
    listed = {one.name: one.cell for one in page.columns}
    return [
        (
            label if isinstance(label, str) else label.label,
            listed[name](item) if name in listed else _cell(getattr(item, name)),
        )
        for name, label in labels.items()
        if name not in _ELSEWHERE and name != title
    ]


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return Cell("Yes" if value else "No")
    if isinstance(value, date):
        return Cell(value.isoformat())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Cell(", ".join(map(str, value)))
    return Cell("" if value is None else str(value))
