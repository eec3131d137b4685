"""What may go wrong with a query, in the words and kinds of Prometheus' HTTP API."""

from typing import ClassVar


class PromqlError(Exception):
    """Base of all expected errors; `kind` is what the API calls errorType, `status` its HTTP status."""

    kind: ClassVar[str] = "internal"
    status: ClassVar[int] = 500


class BadDataError(PromqlError):
    """The query or a parameter could not be understood."""

    kind = "bad_data"
    status = 400

    def __init__(self, message: str, place: tuple[int, int] | None = None) -> None:
        """`place` are the characters [start, end) of the query that are wrong, where that is known."""
        super().__init__(message)
        self.place = place


class ExecutionError(PromqlError):
    """The query is well-formed and cannot be answered with the data that there is."""

    kind = "execution"
    status = 422


class QueryTimeoutError(PromqlError):
    """The query took longer than it may."""

    kind = "timeout"
    status = 503


class QueryCancelledError(PromqlError):
    """Nobody waits for the answer any more."""

    kind = "canceled"
    status = 503


class TooManyQueriesError(PromqlError):
    """So many queries wait that another one may not."""

    kind = "unavailable"
    status = 503


def too_many_samples() -> ExecutionError:
    """The limit of samples, in Prometheus' words."""
    return ExecutionError("query processing would load too many samples into memory in query execution")
