"""Forms that come from a schema: what they show, and what a sent one says."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

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


async def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(browser, device):
    values = {"device_type": "server", "lifecycle": "active", "location": "", "department_id": ""}
    assert (
        await browser.send(f"/devices/{device.id}", name="first", version="1", **values)
    ).status_code == 204
    late = await browser.send(f"/devices/{device.id}", name="second", version="1", **values)
    assert late.status_code == 412
    assert "Save again to overwrite their change" in late.text
    assert "first" in await browser.page(f"/devices/{device.id}")
