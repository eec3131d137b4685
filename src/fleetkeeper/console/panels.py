"""What pages of panels have in common: showing them, reading their forms, and what a refused form says."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.panels import (
    Entry,
    EntryForm,
    Fragment,
    Note,
    Option,
    Panel,
    PanelPage,
    RowAction,
    Tag,
)
from fleetkeeper.console.contexts.shell import TabLink
from fleetkeeper.console.navigation import shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import is_htmx_request
from fleetkeeper.errors import (
    ConflictError,
    FieldError,
    FleetkeeperError,
    ForbiddenError,
    InvalidInputError,
    PreconditionError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.kit.error_words import error_words, field_words

_Model = TypeVar("_Model", bound=BaseModel)
_Result = TypeVar("_Result")

LATE = (
    "Someone else has changed this since you opened the page. Save again to overwrite their change, "
    "or reload the page to see it first."
)
REASON = Entry("change_reason", "Reason", hint="Recorded in the audit log")
# Of acts that may be done without giving one.
ANY_REASON = replace(REASON, is_required=False)


def act_form(form_id: str, title: str, action: str, text: str = "", *, asks_why: bool = True) -> EntryForm:
    """A form for an act that asks for nothing, perhaps but why: `text` is its consequence."""
    entries = (REASON,) if asks_why else ()
    return EntryForm(form_id, title, action, title, entries, text=text, is_danger=True)


def show_page(
    actor: Actor,
    current: str,
    title: str,
    panels: Iterable[Panel | None],
    *,
    crumbs: Sequence[tuple[str, str]] = (),
    tags: Sequence[Tag] = (),
    links: Sequence[tuple[str, str]] = (),
    tabs: Sequence[TabLink] = (),
    head: Fragment | None = None,
    notes: Sequence[Note] = (),
    actions: Sequence[RowAction] = (),
    status: int = 200,
) -> Response:
    """A page of panels; `current` is the address of its entry in the navigation. Panels that are None are left out."""
    page = PanelPage(
        shell=shell_for(actor, current),
        title=title,
        crumbs=tuple(crumbs),
        tags=tuple(tags),
        links=tuple(links),
        tabs=tuple(tabs),
        panels=tuple(panel for panel in panels if panel is not None),
        csrf_token=actor.csrf_token or "",
        head=head,
        notes=tuple(notes),
        actions=tuple(actions),
    )
    return render("panels/page.html", page, status=status)


def done(request: Request, address: str) -> Response:
    """Go on to a page after something was done: browsers with htmx are told by a header."""
    if is_htmx_request(request):
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def model_of(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    """A model of the API from a form's values. Raises InvalidInputError in plain words."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        items = error.errors()
        fields = [FieldError(str(item["loc"][0]), error_words(item)) for item in items if item["loc"]]
        whole = " ".join(f"{error_words(item)}." for item in items if not item["loc"])
        raise InvalidInputError(whole or "Correct the marked fields.", fields=fields) from None


async def attempt(session: AsyncSession, action: Awaitable[_Result]) -> _Result | FleetkeeperError:
    """Do something that a form asks for, wholly or not at all; an error that the form can show is returned."""
    try:
        async with session.begin_nested():
            return await action
    except (InvalidInputError, ConflictError, ForbiddenError, PreconditionError) as error:
        return error


async def submit(
    request: Request,
    session: AsyncSession,
    action: Awaitable[_Result],
    to: Callable[[_Result], str],
    again: Callable[[FleetkeeperError], Awaitable[Response]],
) -> Response:
    """Do what a form asks for and go on to a page; one that is refused comes back with what is wrong."""
    outcome = await attempt(session, action)
    return await again(outcome) if isinstance(outcome, FleetkeeperError) else done(request, to(outcome))


Sent = Mapping[str, str] | Mapping[str, list[str]]


def refused(form: EntryForm, error: FleetkeeperError, values: Sent) -> EntryForm:
    """The form as it was sent, with what is wrong with it. Passwords are not shown again.

    Where somebody was faster, it has the version that is there now: who sends it again overwrites that knowingly.
    """
    is_late = isinstance(error, PreconditionError)
    wrong = {field.field.partition(".")[0]: field.message for field in error.fields}
    entries = tuple(
        replace(
            entry,
            value=entry.value if is_late and entry.kind == "hidden" else _sent_text(entry, values),
            options=_sent_options(entry, values),
            error=wrong.pop(entry.name, ""),
        )
        for entry in form.entries
    )
    rest = " ".join(f"{field_words(name)}: {message}." for name, message in wrong.items())
    message = f"{LATE if is_late else error.detail} {rest}".strip()
    return replace(form, entries=entries, message=message, is_open=True)


def at_entries(error: FleetkeeperError, names: Mapping[str, str]) -> FleetkeeperError:
    """The error at the form's fields, where those have other names than the service's."""
    if not isinstance(error, InvalidInputError):
        return error
    fields = [FieldError(names.get(one.field, one.field), one.message) for one in error.fields]
    return InvalidInputError(error.detail, fields=fields)


def _sent_text(entry: Entry, values: Sent) -> str:
    if entry.kind == "password":
        return ""
    if entry.kind == "toggle":
        return "true" if entry.name in values else ""
    sent = values.get(entry.name, entry.value)
    return sent if isinstance(sent, str) else next(iter(sent), "")


def _sent_options(entry: Entry, values: Sent) -> tuple[Option, ...]:
    sent = values.get(entry.name, [])
    if isinstance(sent, str):
        # A form that was read without its lists does not say which of several were chosen.
        if entry.kind == "ticks":
            return entry.options
        sent = [sent]
    return tuple(replace(one, is_chosen=one.value in sent) for one in entry.options)


def refuse_in(
    panels: Iterable[Panel | None], form_id: str, error: FleetkeeperError, values: Sent
) -> list[Panel | None]:
    """The panels, with that form among them as it was refused."""
    return [
        refused(panel, error, values) if isinstance(panel, EntryForm) and panel.id == form_id else panel
        for panel in panels
    ]


def department_options(
    departments: Iterable[DepartmentRead], chosen: UUID | None = None, nothing: str | None = None
) -> tuple[Option, ...]:
    """Departments to choose from; `nothing` is what choosing none means, if one may."""
    first = () if nothing is None else (Option("", nothing, chosen is None),)
    return (*first, *(Option(str(one.id), one.path, one.id == chosen) for one in departments))


def with_query(path: str, **parameters: str) -> str:
    """An address with parameters."""
    return f"{path}?{urlencode(parameters)}"
