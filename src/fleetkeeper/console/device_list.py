"""The list of devices. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fleetkeeper.annotations.fields.filters import PREFIX, sorted_by_fields
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.annotations.tags.schemas import TagRead
from fleetkeeper.console.contexts.lists import BulkAction, Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.field_panels import field_columns
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.tag_panels import shown_tags
from fleetkeeper.devices.presence import shown_status
from fleetkeeper.devices.queries import LISTING
from fleetkeeper.devices.schemas import DeviceSummary
from fleetkeeper.identity.departments.schemas import DepartmentRead

HOME = "/devices"
NOBODYS = "none"
STATUSES = (
    # The service's `online` has the stale ones, too.
    Choice("online", "Online", (("status", "fresh"),), mark="online"),
    Choice("stale", "Stale", mark="stale"),
    Choice("offline", "Offline", mark="offline"),
    Choice("never", "Never reported", (("last_seen__isnull", "true"),), mark="never"),
)
TYPES = (
    Choice("server", "Servers"),
    Choice("vm", "Virtual machines"),
    Choice("workstation", "Workstations"),
    Choice("network_device", "Network devices"),
    Choice("storage", "Storage"),
    Choice("container", "Containers"),
    Choice("vehicle", "Vehicles"),
    Choice("other", "Other"),
)
TITLES = {
    "os_name": "Operating system",
    "os_version": "OS version",
    "id": "ID",
    "department_id": "Department ID",
    "tag": "Tag",
}


_ENROLL = Empty(
    "No devices yet",
    "Create an enrollment token and run one command on a machine.",
    ("/agents#new-token", "Enroll a machine"),
)


def device_list(
    stale_before: datetime,
    departments: Sequence[DepartmentRead] = (),
    tags: Sequence[TagRead] = (),
    fields: Sequence[FieldRead] = (),
    *,
    with_nobodys: bool = False,
    may_edit: bool = False,
    may_delete: bool = False,
    may_enroll: bool = False,
) -> ListPage[DeviceSummary]:
    """The list as it is now: which devices are stale, and what the departments are called."""
    paths = {one.id: one.path for one in departments}
    quick = [
        QuickFilter("status", "Status", STATUSES, is_chips=True),
        QuickFilter("device_type", "Type", TYPES, everything="All types"),
    ]
    if departments:
        choices = [Choice(str(one.id), one.path) for one in departments]
        nobodys = (
            [Choice(NOBODYS, "No department", (("department_id__isnull", "true"),))] if with_nobodys else []
        )
        quick.append(
            QuickFilter(
                "department",
                "Department, with all below it",
                (*choices, *nobodys),
                everything="All departments",
            )
        )
    if tags:
        choices = [Choice(one.slug, one.name) for one in tags]
        quick.append(QuickFilter("tag", "Tag", tuple(choices), everything="All tags"))
    return ListPage(
        path=HOME,
        title="Devices",
        noun=("device", "devices"),
        listing=sorted_by_fields(LISTING, fields, LISTING.key),
        search="Name, IP address, MAC or serial number",
        quick=tuple(quick),
        columns=(*_columns(stale_before, paths, tags), *field_columns(fields)),
        titles=TITLES,
        # Choices of custom fields are words already.
        values={(PREFIX + one.name, choice): choice for one in fields for choice in one.choices},
        empty=_ENROLL
        if may_enroll
        else Empty("No devices yet", "Administrators and operators enroll machines."),
        refresh_seconds=10,
        export="/api/v1/devices/export",
        bulk=(
            *([BulkAction("Edit selected")] if may_edit else []),
            *([BulkAction("Delete selected", "bulk-delete", is_danger=True)] if may_delete else []),
        ),
    )


def _columns(
    stale_before: datetime, paths: Mapping[UUID, str], tags: Sequence[TagRead]
) -> tuple[Column[DeviceSummary], ...]:
    def name(one: DeviceSummary) -> Cell:
        place = "" if one.department_id is None else paths.get(one.department_id, "")
        other = one.hostname if one.hostname != one.name else ""
        return Cell(one.name, f"{HOME}/{one.id}", detail=" · ".join(filter(None, (other, place))))

    def status(one: DeviceSummary) -> Cell:
        shown = shown_status(one.status, one.last_seen, stale_before, one.report_interval_seconds)
        return Cell(shown, kind="status")

    def system(one: DeviceSummary) -> Cell:
        return Cell(" ".join(filter(None, (one.os_name, one.os_version))), is_soft=True)

    def department(one: DeviceSummary) -> Cell:
        return Cell("" if one.department_id is None else paths.get(one.department_id, ""))

    return (
        Column("name", "Name", name, sort="name"),
        Column("status", "Status", status, sort="status"),
        Column(
            "device_type",
            "Type",
            lambda one: Cell(one.device_type, kind="device_type"),
            sort="device_type",
            css="is-minor",
        ),
        Column("os_name", "System", system, sort="os_name", css="is-minor col-system"),
        _share("cpu_percent", "CPU"),
        _share("memory_percent", "Memory"),
        _share("disk_percent", "Disk"),
        Column("last_seen", "Last seen", _moment("last_seen"), sort="last_seen", falls_first=True),
        Column("tags", "Tags", lambda one: Cell(tags=shown_tags(tags, one.tags)), is_extra=True),
        Column("hostname", "Host name", lambda one: Cell(one.hostname), sort="hostname", is_extra=True),
        Column("department", "Department", department, is_extra=True, field="department_id"),
        Column("location", "Location", lambda one: Cell(one.location or ""), sort="location", is_extra=True),
        Column("lifecycle", "Lifecycle", lambda one: Cell(one.lifecycle), sort="lifecycle", is_extra=True),
        Column(
            "first_seen", "First seen", _moment("first_seen"), "first_seen", falls_first=True, is_extra=True
        ),
    )


def _share(name: str, title: str) -> Column[DeviceSummary]:
    def cell(one: DeviceSummary) -> Cell:
        return Cell(kind="share", share=getattr(one, name))

    return Column(name, title, cell, sort=name, falls_first=True, css="col-share")


def _moment(name: str) -> Callable[[DeviceSummary], Cell]:
    return lambda one: Cell(at=getattr(one, name), kind="time", is_soft=True)
