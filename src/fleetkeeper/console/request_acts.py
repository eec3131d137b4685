"""What a person can do with a request, as forms."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.request_list import HOME
from fleetkeeper.device_requests.payloads import MOST_BYTES
from fleetkeeper.device_requests.schemas import DeviceRequestDetail, JsonObject, Reason
from fleetkeeper.device_requests.status import OPEN, DeviceRequestStatus


class _Held(BaseModel):
    """What somebody does who has the request."""

    model_config = ConfigDict(extra="forbid")

    lease_token: UUID


class Answering(_Held):
    """An answer as people type it."""

    content: JsonObject

    @field_validator("content", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        """A text is the answer's `text`, so that nobody needs to know JSON to answer."""
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith("{"):
            return {"text": value}
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("Must be text, or a JSON object") from None


class Returning(_Held):
    """Why it is given back."""

    reason: Reason = ""


class Failing(_Held):
    """Why it cannot be answered."""

    reason: Annotated[Reason, Field(min_length=1)]
    retry: bool = False


class Taking(BaseModel):
    """A person takes it on."""

    model_config = ConfigDict(extra="forbid")


class Reasoned(BaseModel):
    """Why, if somebody wants to say so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


_TOKEN = Widget("", kind="hidden")
_REASON = Widget("Reason")
TAKE = Form(Taking, "take", "Take", "Take", {}, text="The request is yours for 8 hours.")
ANSWER = Form(
    Answering,
    "answer",
    "Answer",
    "Send answer",
    {
        "content": Widget(
            "Answer", kind="area", hint=f"Text, or a JSON object of at most {MOST_BYTES // 1024} KiB"
        ),
        "lease_token": _TOKEN,
    },
)
GIVE_BACK = Form(
    Returning,
    "release",
    "Give back",
    "Give back",
    {"reason": _REASON, "lease_token": _TOKEN},
    text="The request is pending again, for others.",
)
FAIL = Form(
    Failing,
    "fail",
    "Mark as failed",
    "Mark as failed",
    {
        "reason": Widget("Reason", hint="The device sees it"),
        "retry": Widget("Try again later"),
        "lease_token": _TOKEN,
    },
    is_danger=True,
)
RETRY = Form(
    Reasoned,
    "retry",
    "Retry",
    "Retry",
    {"reason": _REASON},
    text="The request is pending again, from the start.",
)
CANCEL = Form(
    Reasoned,
    "cancel",
    "Cancel request",
    "Cancel request",
    {"reason": _REASON},
    text="Nobody answers it. This cannot be undone.",
    is_danger=True,
)
FORMS: dict[str, Form[Any]] = {one.id: one for one in (TAKE, ANSWER, GIVE_BACK, FAIL, RETRY, CANCEL)}


class _Token(BaseModel):
    lease_token: UUID


def act_forms(one: DeviceRequestDetail, token: UUID | None) -> list[EntryForm]:
    """What can be done now; with the `token` of a lease that is the reader's own, more."""
    base = f"{HOME}/{one.id}"
    forms: list[EntryForm] = []
    if one.status == DeviceRequestStatus.PENDING:
        forms.append(TAKE.shown(f"{base}/take", is_open=True))
    if token is not None:
        held = _Token(lease_token=token)
        forms.append(ANSWER.shown(f"{base}/answer", held, is_open=True))
        forms += [form.shown(f"{base}/{form.id}", held) for form in (GIVE_BACK, FAIL)]
    if one.status == DeviceRequestStatus.FAILED:
        forms.append(RETRY.shown(f"{base}/retry", is_open=True))
    if one.status in OPEN:
        forms.append(CANCEL.shown(f"{base}/cancel"))
    return forms
