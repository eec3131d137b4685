"""The texts that people give to objects of this room."""

import re
from typing import Annotated

from pydantic import Field

from fleetkeeper.kit.patterns import shaped
from fleetkeeper.kit.text import is_storable

# What shows nothing, moves a terminal's cursor, or turns the text beside it round, is no part of a name.
_MARK = r"[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
# Something must be in it besides spaces.
_NAME = shaped(
    rf"^{_MARK}*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]{_MARK}*$",
    "not be blank or contain control characters",
)
MAIL_ADDRESS = shaped(r"^[^@\s\x00]+@[^@\s\x00]+$", "be an email address such as maria@example.com")
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=_NAME)]
LongName = Annotated[str, Field(min_length=1, max_length=255, pattern=_NAME)]
FullName = Annotated[str, Field(max_length=255, pattern=rf"^{_MARK}*$")]
Description = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
MailAddress = Annotated[str, Field(max_length=255, pattern=MAIL_ADDRESS)]
_LINE = re.compile(f"{_MARK}*")


def is_line(text: str) -> bool:
    """Whether a text is one line that shows as it is, and can be stored."""
    return _LINE.fullmatch(text) is not None and is_storable(text)
