"""What is wrong with an input, in the reader's words."""

import re
from datetime import date, datetime
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator

from fleetkeeper.kit.error_words import field_errors, field_words
from fleetkeeper.kit.patterns import shaped


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=1, ge=1, le=9)
    share: float = Field(default=0.5, gt=0, lt=1)
    name: str = Field(default="x", min_length=1, max_length=3)
    slug: str = Field(default="x", pattern="^[a-z]+$")
    interval: str = Field(default="", pattern=shaped("^[1-9] hours?$", "be a duration such as 1 hour"))
    size: str = Field(default="S", pattern="^(S|M|L)$")
    text: str = Field(default="", pattern=r"^[^\x00-\x1f\x7f]*$")
    device: UUID | None = None
    at: datetime | None = None
    aware: AwareDatetime | None = None
    day: date | None = None
    is_on: bool = False
    kind: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    items: list[int] = Field(default=[], max_length=1)
    either: int | date = 1
    network: IPv4Network | None = None
    link: HttpUrl | None = None
    even: int = 2

    @field_validator("even")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("Must be even")
        return value


def problems(**entered) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        Form.model_validate(entered)
    return [tuple(item) for item in field_errors(error.value.errors())]


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({"count": "0"}, "Must be at least 1"),
        ({"count": "10"}, "Must be at most 9"),
        ({"count": "x"}, "Must be a whole number"),
        ({"count": 1.5}, "Must be a whole number"),
        ({"share": ""}, "Must be a number"),
        ({"share": 0}, "Must be more than 0.0"),
        ({"name": ""}, "Must not be empty"),
        ({"name": "long"}, "Must have at most 3 characters"),
        ({"name": 3}, "Must be text"),
        ({"slug": "A"}, "Contains characters that are not allowed here"),
        ({"interval": "xyz"}, "Must be a duration such as 1 hour"),
        ({"size": "XL"}, "Must be S, M or L"),
        ({"text": "a\x00"}, "Must not contain control characters"),
        ({"device": "x"}, "Must be an ID such as 0198c0de-7c00-7a00-8000-000000000000"),
        ({"at": "soon"}, "Must be a date and time such as 2026-11-27T16:00:00Z"),
        ({"aware": "2026-11-27T16:00:00"}, "Must name its time zone, such as a Z at the end"),
        ({"day": "soon"}, "Must be a date such as 2026-11-27"),
        ({"is_on": "perhaps"}, "Must be true or false"),
        ({"kind": "c"}, "Must be 'a' or 'b'"),
        ({"colour": "green"}, "Must be 'red' or 'blue'"),
        ({"items": [1, 2]}, "Must have at most 1 item"),
        ({"items": 1}, "Must be a list"),
        ({"even": 1}, "Must be even"),
        ({"link": "x"}, "Must be a URL such as https://example.com"),
        ({"other": 1}, "Unknown field; remove it"),
    ],
)
def test_says_what_the_field_needs(entered, words):
    assert problems(**entered) == [(next(iter(entered)), words)]


def test_no_name_of_the_validator_s_own_gets_out():
    for entered in ({"network": "x"}, {"either": "x"}, {"items": ["x"]}, {"link": "ftp://x"}, {"day": 1.5}):
        for field, words in problems(**entered):
            assert not re.search(r"Input|String|should|Value error|[\[\]]|UUID", field + words), (
                field,
                words,
            )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("path.device_id", "Device ID"),
        ("query.limit", "Limit"),
        ("interval_seconds", "Interval seconds"),
        ("labels.0.name", "Labels, 0, name"),
    ],
)
def test_fields_are_named_in_words(path, words):
    assert field_words(path) == words
