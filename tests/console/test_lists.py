"""What a list's address asks for, and what is shown of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.device_list import device_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.filtering import filter_inputs
from fleetkeeper.console.lists.showing import asked_of, list_panel, related_panel, service_parameters
from fleetkeeper.devices.queries import LISTING
from fleetkeeper.errors import InvalidInputError
from tests.fixtures.client import enroll

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    results: list[Any] = field(default_factory=list)
    count: int = 0
    next: str | None = None
    previous: str | None = None


PAGE: ListPage[str] = ListPage(
    path="/things",
    title="Things",
    noun=("thing", "things"),
    listing=LISTING,
    search="Name",
    quick=(QuickFilter("status", "Status", (Choice("online", "Online", (("status", "fresh"),)),)),),
    columns=(
        Column("name", "Name", Cell, sort="name"),
        Column("size", "CPU", lambda one: Cell(str(len(one))), sort="cpu_percent", falls_first=True),
        Column("more", "More", lambda _: Cell("more"), is_extra=True),
    ),
    empty=Empty("No things yet"),
)


def panel(*parameters: tuple[str, str], rows: Rows | None = None) -> ListPanel:
    return list_panel(PAGE, asked_of(PAGE, parameters), rows or Rows())


class TestAddress:
    def test_survives_the_round_trip(self):
        asked = (
            ("q", "web & co"),
            ("status", "online"),
            ("location__contains", "Hall"),
            ("ordering", "-cpu_percent"),
        )
        address = "/things?q=web+%26+co&status=online&location__contains=Hall&ordering=-cpu_percent"
        assert asked_of(PAGE, asked).address == address
        assert asked_of(PAGE, ()).address == "/things"

    def test_leaves_out_what_the_list_does_not_know(self):
        asked = asked_of(PAGE, (("ordering", "password"), ("password", "x"), ("columns", "none"), ("q", "a")))
        assert asked.address == "/things?q=a"

    def test_a_filter_put_together_by_hand_is_one_of_the_address(self):
        made = (("field", "cpu_cores"), ("operator", "gte"), ("value", "4"), ("cursor", "c"), ("q", "web"))
        assert asked_of(PAGE, made).address == "/things?q=web&cpu_cores__gte=4"
        equal = (("field", "name"), ("operator", "exact"), ("value", "web"))
        assert asked_of(PAGE, equal).address == "/things?name=web"

    def test_several_values_are_one_filter(self):
        made = (("field", "lifecycle"), ("operator", "in"), ("value", "active"), ("value", "retired"))
        assert asked_of(PAGE, made).address == "/things?lifecycle__in=active%2Cretired"

    @pytest.mark.parametrize(
        ("name", "text", "meant"),
        [
            ("device_type", "VM", "vm"),
            ("device_type", "network device", "network_device"),
            ("lifecycle__in", "Active, Retired", "active,retired"),
            ("status", "ONLINE", "online"),
            ("last_seen__isnull", "no", "false"),
            ("name", "Active", "Active"),
        ],
    )
    def test_the_words_that_people_see_are_values_too(self, name, text, meant):
        assert asked_of(PAGE, ((name, text),)).filters == ((name, meant),)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("last_seen", [("gte", "2026-11-21T00:00:00+01:00"), ("lt", "2026-11-22T00:00:00+01:00")]),
            ("last_seen__gte", [("gte", "2026-11-21T00:00:00+01:00")]),
            ("last_seen__lte", [("lt", "2026-11-22T00:00:00+01:00")]),
            ("last_seen__gt", [("gte", "2026-11-22T00:00:00+01:00")]),
            ("last_seen__lt", [("lt", "2026-11-21T00:00:00+01:00")]),
        ],
    )
    def test_a_day_is_one_of_the_reader_s(self, name, meant):
        asked = asked_of(PAGE, ((name, "2026-11-21"),))
        wanted = service_parameters(PAGE, asked, ZoneInfo("Europe/Berlin"))[1:]
        assert wanted == [(f"last_seen__{operator}", text) for operator, text in meant]

    def test_a_moment_stays_one(self):
        asked = asked_of(PAGE, (("last_seen__gte", "2026-11-21T10:00:00Z"),))
        assert service_parameters(PAGE, asked)[1:] == [("last_seen__gte", "2026-11-21T10:00:00Z")]

    @pytest.mark.parametrize(
        ("name", "text", "cure"),
        [
            ("last_seen__gte", "tomorrow", "Must be a day, such as 2026-11-21"),
            ("last_seen", "9999-12-31", "Must be a day, such as 2026-11-21"),
            ("last_seen__lte", "0001-01-01", "Must be a day, such as 2026-11-21"),
            ("lifecycle", "gone", "Must be Active, Inactive, Maintenance or Retired"),
            ("lifecycle__in", "active,gone", "Must be Active, Inactive, Maintenance or Retired"),
        ],
    )
    def test_a_wrong_value_says_what_would_be_right(self, name, text, cure):
        with pytest.raises(InvalidInputError) as raised:
            service_parameters(PAGE, asked_of(PAGE, ((name, text),)))
        assert raised.value.fields[0].message == cure

    def test_what_is_empty_needs_no_value(self):
        for value, meant in (("", "true"), ("yes", "true"), ("No", "false"), ("false", "false")):
            made = (("field", "last_seen"), ("operator", "isnull"), ("value", value))
            assert asked_of(PAGE, made).address == f"/things?last_seen__isnull={meant}"
        made = (("field", "last_seen"), ("operator", "isset"))
        assert asked_of(PAGE, made).address == "/things?last_seen__isnull=false"

    def test_the_service_is_asked_for_what_a_choice_means(self):
        asked = asked_of(PAGE, (("status", "online"), ("cursor", "c")))
        assert service_parameters(PAGE, asked) == [("cursor", "c"), ("limit", "50"), ("status", "fresh")]


class TestPanel:
    def test_a_click_on_the_sorted_column_turns_it_round(self):
        name, size = panel().heads
        assert (name.sorted, name.href) == ("ascending", "/things?ordering=-name")
        assert (size.sorted, size.href) == ("none", "/things?ordering=-cpu_percent")
        assert panel(("ordering", "-name")).heads[0].href == "/things?view=all"

    def test_pages_keep_the_filters(self):
        shown = panel(("q", "x"), rows=Rows(["a"], 9, next="?status=fresh&limit=50&cursor=abc"))
        assert (shown.next_href, shown.previous_href) == ("/things?q=x&cursor=abc", None)

    def test_chosen_columns_come_in_their_order(self):
        shown = panel(("columns", "more"), ("columns", "name"), rows=Rows(["a"], 1))
        assert [one.title for one in shown.heads] == ["More", "Name"]
        assert [one.cell.text for one in shown.rows[0].cells] == ["more", "a"]
        assert [(one.name, one.is_shown) for one in shown.column_choices] == [
            ("more", True),
            ("name", True),
            ("size", False),
        ]

    @pytest.mark.parametrize(
        ("name", "value", "words", "text"),
        [
            ("location__contains", "Hall", "Location contains", "Hall"),
            ("name__in", "a,b", "Name is one of", "a, b"),
            ("last_seen__isnull", "true", "Last seen is empty", ""),
            ("cpu_percent__gte", "90", "CPU is at least", "90"),
            ("status", "unknown", "Status is", "Unknown"),
            ("device_type__in", "vm,server", "Device type is one of", "VM, Server"),
            ("last_seen__gte", "2026-11-21", "Last seen is on or after", "2026-11-21"),
            ("last_seen__isnull", "false", "Last seen is not empty", ""),
        ],
    )
    def test_an_added_filter_is_said_in_words_and_can_be_removed(self, name, value, words, text):
        only = panel(("q", "x"), (name, value)).active[0]
        assert (only.label, only.text, only.href) == (words, text, "/things?q=x")

    def test_a_quick_filter_is_not_said_twice(self):
        assert panel(("status", "online")).active == ()


def test_rows_on_the_page_of_something_else_are_not_sorted_or_searched():
    shown = related_panel(PAGE, Rows(["a"], 1), "Their things")
    assert [(one.title, one.href) for one in shown.heads] == [("Name", ""), ("CPU", "")]
    assert (shown.title, shown.search, shown.fields, shown.quick) == ("Their things", "", (), ())


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        ("online", ("status", "fresh")),
        ("stale", ("status", "stale")),
        ("offline", ("status", "offline")),
        ("never", ("last_seen__isnull", "true")),
    ],
)
def test_stale_devices_are_a_part_of_those_online(status, asked):
    page = device_list(NOW)
    assert asked in service_parameters(page, asked_of(page, (("status", status),)))


@pytest.mark.parametrize(
    ("name", "condition", "conditions", "kind"),
    [
        ("name", "", ["exact", "contains", "in"], "text"),
        ("location", "", ["exact", "contains", "in", "isnull", "isset"], "text"),
        ("cpu_cores", "gte", ["exact", "gte", "lte", "isnull", "isset"], "number"),
        ("last_seen", "gte", ["exact", "gte", "lte", "isnull", "isset"], "date"),
        ("last_seen", "isnull", ["exact", "gte", "lte", "isnull", "isset"], ""),
        ("device_type", "contains", ["exact", "in"], "select"),
        ("device_type", "in", ["exact", "in"], "ticks"),
    ],
)
def test_a_field_offers_what_makes_sense_for_it(name, condition, conditions, kind):
    inputs = filter_inputs(PAGE, ZoneInfo("UTC"), name, condition, ["x"])
    assert ([one.value for one in inputs.conditions], inputs.kind) == (conditions, kind)


def test_choices_are_offered_by_the_words_that_people_see():
    options = filter_inputs(PAGE, ZoneInfo("UTC"), "device_type", "in", ["vm"]).options
    assert ("vm", "VM", True) in [(one.value, one.label, one.is_chosen) for one in options]


async def test_the_form_asks_for_what_fits_a_field(admin, browser):
    field = {"label": "Ring", "kind": "choice", "choices": ["inner_one", "outer"]}
    await admin.post("/api/v1/custom-fields", json=field)
    part = await browser.part("/devices?filter_inputs=1&field=cf_ring")
    assert ">inner_one</option>" in part
    assert "<table" not in part
    assert 'type="date"' in await browser.part("/devices?filter_inputs=1&field=last_seen&operator=gte")
    hostile = await browser.part('/devices?filter_inputs=1&field=name&value="><script>alert(1)</script>')
    assert "<script" not in hostile


async def test_a_filter_with_a_wrong_value_says_so_on_the_page(browser, device):
    answer = await browser.client.get("/devices?cpu_cores__gte=many")
    assert answer.status_code == 422
    assert answer.text.count("The filter is wrong") == 1
    assert "match these filters" not in answer.text
    assert "Clear filters" in answer.text
    assert (await browser.client.get("/devices?last_seen__gte=soon")).status_code == 422
    assert "CPU cores: Must be a number" in answer.text
    assert "/devices" in answer.text


async def test_columns_and_filters_are_those_of_the_address(app, admin, browser):
    for name in ("web-01", "db-01"):
        await (await enroll(app, admin, name)).client.aclose()
    page = await browser.page("/devices?field=name&operator=contains&value=db&columns=lifecycle&columns=name")
    heads = page.partition("<thead>")[2].partition("</thead>")[0]
    assert heads.index("Lifecycle") < heads.index("Name")
    assert "db-01" in page
    assert "web-01" not in page
