"""The list of devices: from the address to the service's parameters, from its answer to the table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from fleetkeeper.console.contexts.devices import Choice, DeviceQuery, DeviceResults, SortColumn
from fleetkeeper.console.device_rows import device_row
from fleetkeeper.devices.schemas import DevicePage
from fleetkeeper.identity.departments.schemas import DepartmentRead

PAGE_SIZE = 50
NOBODYS = "none"
# Those without a `last_seen`.
NEVER = "never"
DEFAULT = DeviceQuery()

STATUS_CHOICES = (
    Choice("", "All"),
    Choice("online", "Online"),
    Choice("stale", "Stale"),
    Choice("offline", "Offline"),
    Choice(NEVER, "Never reported"),
)

TYPE_CHOICES = (
    Choice("server", "Servers"),
    Choice("vm", "Virtual machines"),
    Choice("workstation", "Workstations"),
    Choice("network_device", "Network devices"),
    Choice("storage", "Storage"),
    Choice("container", "Containers"),
    Choice("vehicle", "Vehicles"),
    Choice("other", "Other"),
)

# Title, field to sort by, class, and whether the first click sorts downwards.
COLUMNS = (
    ("Name", "name", "", False),
    ("Status", "status", "", False),
    ("Type", "device_type", "", False),
    ("System", "os_name", "", False),
    ("CPU", "cpu_percent", "col-share", True),
    ("Memory", "memory_percent", "col-share", True),
    ("Disk", "disk_percent", "col-share", True),
    ("Last seen", "last_seen", "is-number", True),
)
_SORTABLE = frozenset(field for _, field, _, _ in COLUMNS)
_STATUSES = frozenset({"online", "stale", "offline", "unknown", NEVER})


def read_query(parameters: Mapping[str, str]) -> DeviceQuery:
    """The filters in an address; a value that is none falls back to its default."""
    query = DeviceQuery(**{name: parameters[name] for name in asdict(DEFAULT) if name in parameters})
    if query.ordering.removeprefix("-") not in _SORTABLE:
        query = replace(query, ordering=DEFAULT.ordering)
    if query.status not in _STATUSES:
        query = replace(query, status="")
    return query


def service_parameters(query: DeviceQuery) -> list[tuple[str, str]]:
    """The same as the devices' service takes it, whose `online` has the stale ones, too."""
    parameters = [
        ("q", query.q),
        ("device_type", query.device_type),
        ("os_name__contains", query.os),
        ("ordering", query.ordering),
        ("cursor", query.cursor),
        ("limit", str(PAGE_SIZE)),
    ]
    if query.department == NOBODYS:
        parameters.append(("department_id__isnull", "true"))
    if query.status == NEVER:
        parameters.append(("last_seen__isnull", "true"))
    else:
        parameters.append(("status", "fresh" if query.status == "online" else query.status))
    return [(name, value) for name, value in parameters if value]


def departments_within(query: DeviceQuery, departments: Sequence[DepartmentRead]) -> frozenset[UUID] | None:
    """The wanted department and all below it, of those that the reader may see; None where none is wanted."""
    if query.department in {"", NOBODYS}:
        return None
    path = next((one.path for one in departments if str(one.id) == query.department), None)
    return frozenset(
        one.id for one in departments if path is not None and f"{one.path}/".startswith(f"{path}/")
    )


def department_choices(departments: Sequence[DepartmentRead], *, with_nobodys: bool) -> tuple[Choice, ...]:
    """What the filter by department offers."""
    nobodys = (Choice(NOBODYS, "Of no department"),) if with_nobodys and departments else ()
    return (*(Choice(str(one.id), one.path) for one in departments), *nobodys)


def address(query: DeviceQuery) -> str:
    """The list's address with these filters; defaults are left out."""
    changed = {name: value for name, value in asdict(query).items() if value != getattr(DEFAULT, name)}
    return f"/devices?{urlencode(changed)}" if changed else "/devices"


def _neighbour(query: DeviceQuery, link: str | None) -> str | None:
    if link is None:
        return None
    cursor = parse_qs(link.removeprefix("?")).get("cursor", [""])[0]
    return address(replace(query, cursor=cursor))


def _columns(query: DeviceQuery) -> tuple[SortColumn, ...]:
    columns = []
    for title, field, css, falls_first in COLUMNS:
        rising, falling = query.ordering == field, query.ordering == f"-{field}"
        state = "ascending" if rising else "descending" if falling else "none"
        falls_next = rising or (falls_first and not falling)
        ordering = f"-{field}" if falls_next else field
        href = address(replace(query, ordering=ordering, cursor=""))
        columns.append(SortColumn(title, href, state, css))
    return tuple(columns)


def device_results(
    query: DeviceQuery,
    page: DevicePage,
    stale_before: datetime,
    departments: Sequence[DepartmentRead] = (),
) -> DeviceResults:
    """The table."""
    paths = {one.id: one.path for one in departments}
    return DeviceResults(
        rows=tuple(device_row(device, stale_before, paths) for device in page.results),
        columns=_columns(query),
        count=page.count,
        query=query,
        here=address(query),
        next_href=_neighbour(query, page.next),
        previous_href=_neighbour(query, page.previous),
        is_filtered=any((query.q, query.status, query.device_type, query.os, query.department)),
    )
