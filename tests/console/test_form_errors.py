"""Plain words for validation errors."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from fleetkeeper.console.form_errors import plain_words


class Form(BaseModel):
    count: int = Field(default=1, ge=1)
    share: float = 0.5
    name: str = Field(default="x", min_length=1, max_length=3)


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({"count": "0"}, "Must be greater than or equal to 1"),
        ({"count": "x"}, "Must be a whole number"),
        ({"share": ""}, "Must be a number"),
        ({"name": ""}, "Must not be empty"),
        ({"name": "long"}, "Must have at most 3 characters"),
    ],
)
def test_says_what_the_field_needs(entered, words):
    with pytest.raises(ValidationError) as error:
        Form.model_validate(entered)
    assert plain_words(error.value.errors()[0]["msg"]) == words


def test_leaves_other_messages_alone():
    assert plain_words("is a number and a unit") == "is a number and a unit"
