"""The errors that rooms raise; each knows its HTTP status, so a door needs no branches."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One field at fault: its path in the request, and the cure in words."""

    field: str
    message: str


class FleetkeeperError(Exception):
    """Base of all expected errors. The class's `title` is fixed; the message says what happened this time."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, fields: Sequence[FieldError] = (), retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = tuple(fields)
        self.retry_after_seconds = retry_after_seconds


class BadRequestError(FleetkeeperError):
    """The request could not be read at all."""

    status = 400
    title = "Bad request"


class UnauthenticatedError(FleetkeeperError):
    """No valid credential came with the request."""

    status = 401
    title = "Sign-in needed"


class ForbiddenError(FleetkeeperError):
    """The caller is known and may not do this."""

    status = 403
    title = "Not allowed"


class SecondFactorNeededError(ForbiddenError):
    """The caller's role asks for a second factor, and the caller has none yet."""


class NotFoundError(FleetkeeperError):
    """No such object, or none that the caller may see."""

    status = 404
    title = "Not found"


class TimedOutError(FleetkeeperError):
    """The request did not come, or did not come fast enough."""

    status = 408
    title = "Request timeout"


class ConflictError(FleetkeeperError):
    """The request is well-formed and does not fit the present state."""

    status = 409
    title = "Conflict"


class PreconditionError(FleetkeeperError):
    """If-Match named a version that is no longer the current one."""

    status = 412
    title = "Changed in the meantime"


class TooLargeError(FleetkeeperError):
    """The request exceeds a stated limit."""

    status = 413
    title = "Too large"


class UnsupportedMediaTypeError(FleetkeeperError):
    """The body is of a kind that is not understood here."""

    status = 415
    title = "Unsupported media type"


class InvalidInputError(FleetkeeperError):
    """The request was read, and fields in it are wrong; `fields` names them."""

    status = 422
    title = "Invalid input"


class OverloadedError(FleetkeeperError):
    """More work waits than the server takes on; `retry_after_seconds` says when to come back."""

    status = 429
    title = "Too many requests"


class UnavailableError(FleetkeeperError):
    """Something that the server needs, usually the database, is away for the moment."""

    status = 503
    title = "Temporarily unavailable"


class StartupError(Exception):
    """The product cannot start; the message is one sentence for the person at the terminal."""
