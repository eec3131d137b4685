"""What was written: one object's fields, read one by one, so that each that is wrong is named."""

from collections.abc import Collection, Mapping
from typing import Any

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.texts import is_line
from fleetkeeper.kit.text import is_storable

REQUIRED = "This field is required."
# Of a request, not of an object.
_BESIDE = frozenset({"id", "changelog_message"})
NOT_KEPT = "Fleetkeeper does not keep this; leave it out or empty."
# A number that stands for a text, such as a serial number without quotes.
_LARGEST = 10**100
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False, 0)


class Body:
    """The fields of one object; those that are read are known, and the rest is refused in the end."""

    def __init__(self, data: Any, required: Collection[str] = ()) -> None:
        if not isinstance(data, dict):
            wrong = FieldError("non_field_errors", "Invalid data. Expected a dictionary.")
            raise InvalidInputError("The body is wrong.", fields=[wrong])
        self._data: Mapping[str, Any] = data
        self._read: set[str] = set(_BESIDE)
        self._wrong: list[FieldError] = []
        for name in required:
            if data.get(name) in (None, ""):
                self.refuse(name, REQUIRED)

    def has(self, name: str) -> bool:
        """Whether a field was sent."""
        self._read.add(name)
        return name in self._data

    def refuse(self, name: str, message: str) -> None:
        """Note what is wrong with a field."""
        self._read.add(name)
        self._wrong.append(FieldError(name[:100], message))

    @property
    def is_wrong(self) -> bool:
        """Whether something is wrong already."""
        return bool(self._wrong)

    def raw(self, name: str) -> Any:
        """A field as it was sent."""
        self._read.add(name)
        return self._data.get(name)

    def text(self, name: str, longest: int = 255, *, is_line_only: bool = True) -> str:
        """A text, empty for null."""
        value = self.raw(name)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if abs(value) < _LARGEST else None
        if not isinstance(value, str):
            self.refuse(name, "Not a valid string.")
        elif len(value) > longest:
            self.refuse(name, f"Ensure this field has no more than {longest} characters.")
        elif not (is_line(value) if is_line_only else is_storable(value)):
            self.refuse(name, "Must not contain control characters.")
        else:
            return value.strip() if is_line_only else value
        return ""

    def whole(self, name: str, most: int, least: int = 0) -> int | None:
        """A whole number, or None."""
        value = self.raw(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, "A valid integer is required.")
        elif not least <= value <= most:
            self.refuse(name, f"Must be a number from {least} to {most}.")
        else:
            return value
        return None

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, "Must be a valid boolean.")
            return default
        return value

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """One of some values, alone or as NetBox tells it; None for null and for what is none of them."""
        value = self.raw(name)
        if isinstance(value, dict):
            value = value.get("value")
        if value is None or value == "":
            return None
        if not isinstance(value, str) or value not in choices:
            self.refuse(name, f'"{str(value)[:100]}" is not a valid choice.')
            return None
        return value

    def finish(self, told: Collection[str] = ()) -> None:
        """Refuse what nobody read, unless it says nothing, or is only told. Raises InvalidInputError."""
        for name in self._data.keys() - self._read:
            if name not in told and not any(
                self._data[name] is one or self._data[name] == one for one in _EMPTY
            ):
                self._wrong.append(FieldError(name[:100], NOT_KEPT))
        if self._wrong:
            raise InvalidInputError("Some fields are wrong.", fields=sorted(self._wrong))
