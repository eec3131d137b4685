"""The list of departments. Pure."""

from collections.abc import Mapping
from uuid import UUID

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.identity.actor import NOWHERE
from fleetkeeper.identity.departments.queries import departments_in
from fleetkeeper.identity.departments.schemas import DepartmentRead

HOME = "/departments"
LISTING, _ = departments_in(NOWHERE)
# What takes the tree apart: departments would stand without those that they lie in, or in another order.
SCATTERING = frozenset({"q", "ordering", "name", "path", "created_at", "updated_at", "field"})


def department_list(asked: Mapping[str, str], devices: Mapping[UUID, int] | None) -> ListPage[DepartmentRead]:
    """The list as an address asks for it; `devices` are numbers of devices, for those who may see devices."""
    is_tree = not any(name.partition("__")[0] in SCATTERING for name, text in asked.items() if text)

    def name(one: DepartmentRead) -> Cell:
        href = f"{HOME}/{one.id}"
        if is_tree:
            return Cell(one.name, href, detail=one.description, indent=one.path.count("/"))
        return Cell(one.name, href, detail=one.path if one.path != one.name else "")

    columns = [
        Column("name", "Department", name, sort="path"),
        Column("manager", "Manager", lambda one: Cell(one.manager or "")),
        Column("path", "Path", lambda one: Cell(one.path, is_soft=True), is_extra=True),
        Column("description", "Description", lambda one: Cell(one.description, is_soft=True), is_extra=True),
        Column(
            "created_at",
            "Created",
            lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
            sort="created_at",
            falls_first=True,
            is_extra=True,
        ),
    ]
    if devices is not None:
        columns.insert(2, Column("devices", "Devices", lambda one: _devices(one, devices), field=None))
    return ListPage(
        path=HOME,
        title="Departments",
        noun=("department", "departments"),
        listing=LISTING,
        search="Name or description",
        columns=tuple(columns),
        titles={"id": "ID", "name": "Name", "updated_at": "Changed"},
        empty=Empty("No departments yet", "Departments decide who sees which devices."),
        export="/api/v1/departments/export",
    )


def _devices(one: DepartmentRead, devices: Mapping[UUID, int]) -> Cell:
    number = devices.get(one.id, 0)
    return Cell(f"{number:,}", f"/devices?department={one.id}" if number else "")
