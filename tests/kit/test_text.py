"""Texts from outside, on terminals, in spreadsheets, and as names."""

import pytest
from pydantic import TypeAdapter, ValidationError

from fleetkeeper.identity.texts import FullName, LongName, Name
from fleetkeeper.kit.spreadsheets import guarded
from fleetkeeper.kit.text import printable


@pytest.mark.parametrize("mark", ["\x1b", "\x9b", "\u202e", "\u2028", "\u2066", "\n", "\x7f"])
def test_no_name_turns_others_round_or_moves_a_cursor(mark):
    for kind in (Name, LongName, FullName):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(f"a{mark}b")
    assert printable(f"a{mark}b") == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("name", ["José", "東京", "שלום", "a b", "x_1-2.3", "👩‍🔧"])
def test_names_of_all_languages_pass(name):
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a\x1b[31m", "a\ufffd[31m"),
        ("=1", "'=1"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a\nb", "a\nb"),
        ("\x9b1", "\ufffd1"),
    ],
)
def test_cells_are_no_formulas_and_no_commands(text, cell):
    assert guarded(text) == cell
