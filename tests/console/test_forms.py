"""Forms that come from a schema: what they show, and what a sent one says."""

from enum import StrEnum
from html.parser import HTMLParser
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, model_validator

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.forms.form import Form, Widget, version_in
from fleetkeeper.console.panels import refused
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.ids import uuid7


class Color(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"


class ThingCreate(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    description: Annotated[str, Field(max_length=2000)] = ""
    color: Color = Color.DARK_BLUE
    size: Literal["small", "large"] = "small"
    number: int = Field(default=3, ge=1)
    is_on: bool = True
    place_id: UUID | None = None
    password: str | None = Field(default=None, min_length=8)
    tags: list[str] = []
    rights: list[Literal["read", "write"]] = []


WIDGETS: dict[str, Widget | str] = {name: name.capitalize() for name in ThingCreate.model_fields}
WIDGETS["tags"] = Widget("Tags", kind="text")
FORM = Form(ThingCreate, "new-thing", "Create thing", "Create thing", WIDGETS)
PLACE = uuid7()
OPTIONS = {"place_id": [Option("", "Nowhere"), Option(str(PLACE), "Hall")]}
# What a browser sends of the form as it is shown.
UNTOUCHED = {
    "description": [""],
    "color": ["dark_blue"],
    "size": ["small"],
    "number": ["3"],
    "place_id": [""],
}


def entry(name, present=None):
    form = FORM.shown("/things", present, options=OPTIONS)
    return next(one for one in form.entries if one.name == name)


class Controls(HTMLParser):
    """Which fields of a page's forms must be filled in, and whose labels say so."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.required: set[str] = set()
        self.marked: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "label" and "is-required" in (facts.get("class") or "").split():
            self.marked.add(facts["for"] or "")
        elif "required" in facts and facts.get("id") and facts.get("type") != "file":
            self.required.add(facts["id"] or "")


@pytest.mark.parametrize(
    ("name", "kind", "is_required"),
    [
        ("name", "text", True),
        ("description", "area", False),
        ("color", "select", False),
        ("size", "select", False),
        ("number", "number", False),
        ("is_on", "toggle", False),
        ("place_id", "select", False),
        ("password", "password", False),
        ("tags", "text", False),
        ("rights", "text", False),
    ],
)
def test_a_field_is_shown_as_its_type_is_entered(name, kind, is_required):
    assert (entry(name).kind, entry(name).is_required) == (kind, is_required)


def test_choices_are_those_of_the_schema_and_the_present_one_is_chosen():
    shown = [(one.value, one.label, one.is_chosen) for one in entry("color").options]
    assert shown == [("red", "Red", False), ("dark_blue", "Dark blue", True)]
    thing = ThingCreate(name="a", color=Color.RED, place_id=PLACE, password="a secret")
    assert [one.is_chosen for one in entry("color", thing).options] == [True, False]
    assert [one.is_chosen for one in entry("place_id", thing).options] == [False, True]
    assert entry("password", thing).value == ""


def test_what_was_left_empty_is_nothing_or_an_empty_text_as_the_schema_allows():
    made = FORM.read({**UNTOUCHED, "name": [" box "], "password": [""], "tags": ["a, b ,"]})
    assert made == ThingCreate(name="box", is_on=False, tags=["a", "b"])


def test_each_wrong_field_says_what_is_wrong_and_all_else_stays():
    sent = {
        **UNTOUCHED,
        "name": [""],
        "number": ["0"],
        "password": ["short"],
        "size": ["large"],
        "is_on": ["true"],
    }
    with pytest.raises(InvalidInputError) as caught:
        FORM.read(sent)
    again = {
        one.name: one for one in refused(FORM.shown("/things", options=OPTIONS), caught.value, sent).entries
    }
    assert again["name"].error == "Must not be empty"
    assert again["number"].error == "Must be at least 1"
    assert (again["number"].value, again["password"].value, again["is_on"].value) == ("0", "", "true")
    assert [one.value for one in again["size"].options if one.is_chosen] == ["large"]


def test_ticks_that_were_sent_come_back():
    form = FORM.shown(
        "/things", options={**OPTIONS, "rights": [Option("read", "Read"), Option("write", "Write")]}
    )
    again = refused(form, InvalidInputError("No."), {"name": ["x"], "rights": ["write"]})
    rights = next(one for one in again.entries if one.name == "rights")
    assert rights.kind == "ticks"
    assert [one.value for one in rights.options if one.is_chosen] == ["write"]


def test_the_version_that_was_seen_comes_back():
    hidden = FORM.shown("/things", version=7).entries[-1]
    assert (hidden.kind, version_in({hidden.name: [hidden.value]})) == ("hidden", 7)
    assert version_in({"version": ["7; drop"]}) is None


class Wait(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    first_seconds: Annotated[int, Field(ge=10, le=86_400)] | None = None


WAIT = Form(
    Wait,
    "wait",
    "Wait",
    "Save",
    {"name": "Name", "first_seconds": Widget("First", kind="duration", is_required=False)},
)


def test_durations_are_shown_and_entered_as_people_write_them():
    shown = WAIT.shown("/", Wait(name="a", first_seconds=5400)).entries[1]
    assert (shown.kind, shown.value) == ("duration", "1h30m")
    assert WAIT.read({"name": ["a"], "first_seconds": ["1h30m"]}).first_seconds == 5400
    assert WAIT.read({"name": ["a"], "first_seconds": ["90"]}).first_seconds == 90
    assert WAIT.read({"name": ["a"], "first_seconds": [""]}).first_seconds is None


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("5 minutes", "Enter a duration such as 30s, 5m or 1h"),
        ("5s", "Enter at least 10s"),
        ("2d", "Enter at most 1d"),
    ],
)
def test_a_wrong_duration_says_the_cure_beside_other_fields_problems(text, cure):
    sent = {"name": [""], "first_seconds": [text]}
    with pytest.raises(InvalidInputError) as caught:
        WAIT.read(sent)
    again = {one.name: one for one in refused(WAIT.shown("/"), caught.value, sent).entries}
    assert again["first_seconds"].error == cure
    assert again["first_seconds"].value == text
    assert again["name"].error == "Must not be empty"


class Span(BaseModel):
    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        if self.first > self.last:
            raise ValueError("The first must not be after the last")
        return self


def test_what_is_wrong_with_the_whole_stands_above_the_fields():
    form = Form(Span, "span", "Span", "Save", {"first": "First", "last": "Last"})
    with pytest.raises(InvalidInputError) as caught:
        form.read({"first": ["2"], "last": ["1"]})
    assert refused(form.shown("/"), caught.value, {}).message == "The first must not be after the last."


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/account", {"new-token-name"}),
        ("/account/security", {"password-current_password", "password-new_password"}),
        ("/senders", {"connect-source", "host-host", "host-device"}),
        ("/users", {"new-user-username"}),
        ("/settings/retention", {"new-policy-name", "new-policy-priority", "new-policy-downsample_interval"}),
        ("/settings/retention/deletions", {"deletion-device"}),
    ],
)
async def test_what_has_to_be_filled_in_is_marked(browser, address, names):
    controls = Controls(await browser.page(address))
    assert names <= controls.required
    assert controls.marked == controls.required


async def test_a_reason_is_marked_where_it_has_to_be_given(browser, device):
    controls = Controls(await browser.page(f"/devices/{device.id}?tab=settings"))
    assert "delete-device-change_reason" in controls.marked
    policy = await browser.page("/settings/retention/policies/1")
    assert 'name="change_reason"' in policy
    assert "change-policy-change_reason" not in Controls(policy).marked


async def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(browser, device):
    values = {"device_type": "server", "lifecycle": "active", "location": "", "department_id": ""}
    assert (
        await browser.send(f"/devices/{device.id}", name="first", version="1", **values)
    ).status_code == 204
    late = await browser.send(f"/devices/{device.id}", name="second", version="1", **values)
    assert late.status_code == 412
    assert "Save again to overwrite their change" in late.text
    assert "first" in await browser.page(f"/devices/{device.id}")
