"""Conditions on labels. Patterns in them are RE2's, always over the whole value."""

from dataclasses import dataclass
from typing import Literal

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.expressions import PatternError, compile_pattern


@dataclass(frozen=True)
class Matcher:
    """A condition on a label. Patterns are RE2's and match the whole value; an absent label is empty."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def matches(self, value: str) -> bool:
        """Whether a label's value fulfils it. Raises InvalidInputError for a pattern that is none."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        try:
            pattern = compile_pattern(self.value)
        except PatternError as error:
            fields = [FieldError("match[]", f"{self.value[:80]}: {error}")]
            raise InvalidInputError("The pattern is wrong.", fields=fields) from None
        return (pattern.fullmatch(value) is not None) is (self.op == "=~")
