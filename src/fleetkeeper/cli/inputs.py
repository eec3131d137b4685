"""What people type after a command, checked as the API checks it."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.error_words import field_errors

_Model = TypeVar("_Model", bound=BaseModel)


def checked(model: type[_Model], /, **values: Any) -> _Model:
    """A model of the API with these values. Raises InvalidInputError that names the option at fault."""
    try:
        return model(**values)
    except ValidationError as error:
        raise InvalidInputError("An option is not valid.", fields=field_errors(error.errors())) from None
