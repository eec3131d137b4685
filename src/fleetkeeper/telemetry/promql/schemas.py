"""The API's answers as its description shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class PrometheusError(BaseModel):
    """What every expected error looks like."""

    status: Literal["error"]
    errorType: str = Field(description="bad_data, execution, timeout, canceled, unavailable")  # noqa: N815
    error: str
    # Not a tuple: its schema would be of a kind that OpenAPI's readers do not know.
    place: list[int] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="The characters [start, end) of the query that are wrong, where that is known",
    )


class PrometheusAnswer(BaseModel):
    """What every success looks like; `data` depends on the call."""

    status: Literal["success"]
    data: Any
    warnings: list[str] | None = None


PARAMETERS = {
    "query": "PromQL expression",
    "time": "Epoch seconds or RFC 3339; default: now",
    "start": "Epoch seconds or RFC 3339",
    "end": "Epoch seconds or RFC 3339",
    "step": "Seconds, or a duration such as 30s",
    "timeout": "Seconds, or a duration; the server's own limit holds all the same",
    "match[]": "Series selector; may repeat",
    "metric": "Name of a metric",
    "limit": "At most so many results",
}


def described(*names: str, form: bool = False) -> dict[str, Any]:
    """The description of a route's parameters: in the address, or in a form."""
    properties: dict[str, Any] = {
        name: {"type": "array", "items": {"type": "string"}}
        if name == "match[]"
        else {"type": "string", "description": PARAMETERS[name]}
        for name in names
    }
    if form:
        schema = {"type": "object", "properties": properties}
        return {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}}
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": properties[name],
                "description": PARAMETERS[name],
            }
            for name in names
        ]
    }


def answers() -> dict[int | str, dict[str, Any]]:
    """The statuses of a route of this API."""
    words = {400: "Bad parameter or query", 422: "Cannot be answered", 503: "Timed out, cancelled or away"}
    return {status: {"model": PrometheusError, "description": text} for status, text in words.items()}
