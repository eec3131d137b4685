"""Approval requests and delegations as panels. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.approvals.delegations.schemas import DelegationRead
from fleetkeeper.approvals.queries import LISTING
from fleetkeeper.approvals.rules.schemas import Approvers, Level
from fleetkeeper.approvals.schemas import ApprovalDetail, ApprovalRead, Decide, DecisionRead, Reject
from fleetkeeper.approvals.status import REQUESTS, RequestState
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Row, RowAction, Table, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter, status_filter

HOME = "/approvals"
DELEGATIONS = f"{HOME}/delegations"
_DAY = timedelta(days=1)


class DelegationForm(BaseModel):
    """A delegation for whole days."""

    to_user: Annotated[str, Field(min_length=1)]
    first_day: date | None = None
    last_day: Annotated[date, Field(lt=date.max)]

    def delegation(self) -> dict[str, Any]:
        """The same from moment to moment."""
        return {
            "to_user": self.to_user,
            "starts_at": None if self.first_day is None else _midnight(self.first_day),
            "ends_at": _midnight(self.last_day + _DAY),
        }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


_COMMENT = Widget("Comment", hint="The requester and the audit log see it")
APPROVE = Form(Decide, "approve", "Approve", "Approve", {"comment": _COMMENT})
REJECT = Form(Reject, "reject", "Reject", "Reject", {"comment": _COMMENT}, is_danger=True)
DELEGATE = Form(
    DelegationForm,
    "delegate",
    "Delegate approvals",
    "Delegate",
    {
        "to_user": "Username",
        "first_day": Widget("First day (UTC)", hint="Empty: now"),
        "last_day": "Last day (UTC)",
    },
    text="The other user sees the requests that wait for you. Nobody can decide on their own request.",
)
CANCEL = Form(Decide, "cancel", "Cancel request", "Cancel request", {"comment": _COMMENT}, is_danger=True)


def _mine(label: str, value: str) -> Choice:
    return Choice(value, label, ((value, "me"),))


REQUEST_LIST: ListPage[ApprovalRead] = ListPage(
    path=HOME,
    title="Approvals",
    noun=("request", "requests"),
    listing=LISTING,
    search="Object, reason or person",
    quick=(
        QuickFilter(
            "box",
            "Show",
            (_mine("Waiting for me", "waiting_for"), _mine("My requests", "requested_by")),
            is_chips=True,
        ),
        status_filter(RequestState),
    ),
    columns=(
        Column("kind", "Action", lambda one: Cell(one.title, f"{HOME}/{one.id}"), sort="kind"),
        Column(
            "subject",
            "Object",
            lambda one: Cell(one.subject_label, one.subject_href, detail=one.reason),
            sort="subject",
        ),
        Column("status", "Status", lambda one: status_cell(REQUESTS, one.status), sort="status"),
        Column("requested_by", "Requested by", lambda one: Cell(one.requester_name), sort="requested_by"),
        Column(
            "requested_at",
            "Requested",
            lambda one: Cell(at=one.requested_at, kind="time"),
            sort="requested_at",
            falls_first=True,
        ),
        Column("expires_at", "Expires", lambda one: _time(one.expires_at, one.status), sort="expires_at"),
    ),
    titles={"waiting_for": "Waiting for", "subject_id": "Object ID"},
    empty=Empty("No approval requests", "Actions that need approval appear here."),
)


def _time(at: datetime, status: RequestState) -> Cell:
    return Cell(at=at, kind="time") if status == RequestState.PENDING else Cell("\N{EN DASH}", is_soft=True)


def request_facts(one: ApprovalDetail) -> Facts:
    """What is asked for, by whom and why."""
    facts = [
        ("Action", Cell(one.title)),
        ("Object", Cell(one.subject_label, one.subject_href)),
        *((label, Cell(text)) for label, text in one.facts),
        ("Requested by", Cell(one.requester_name)),
        ("Reason", Cell(one.reason or "\N{EN DASH}")),
        ("Requested", Cell(at=one.requested_at, kind="time")),
        ("Expires", _time(one.expires_at, one.status)),
        ("Rule", Cell(str(one.rule["name"]))),
    ]
    if one.supersedes_id is not None:
        facts.append(("Replaces", Cell("An earlier request", f"{HOME}/{one.supersedes_id}")))
    if one.problem:
        facts.append(("Problem", Cell(one.problem)))
    return Facts("request", "Request", tuple(facts))


def levels_table(one: ApprovalDetail, names: Mapping[UUID, str]) -> Table:
    """Who decides on each level, and who has."""
    in_sequence = one.rule["mode"] == "sequence" and len(one.rule["levels"]) > 1
    text = "One level after another." if in_sequence else ""
    if one.is_escalated:
        others = approvers_text(Approvers.model_validate(one.rule["escalation"]), names)
        text = f"{text} Escalated: {others} may decide, too.".strip()
    rows = tuple(
        _level_row(number, Level.model_validate(level), one, names)
        for number, level in enumerate(one.rule["levels"])
    )
    return Table("levels", "Approvals", ("Level", "Approvers", "Status", "Decisions"), rows, text=text)


def _level_row(number: int, level: Level, one: ApprovalDetail, names: Mapping[UUID, str]) -> Row:
    here = [decision for decision in one.decisions if decision.level == number]
    yes = sum(decision.decision == "approve" for decision in here)
    if yes < len(here):
        tag = Tag("Rejected", "bad")
    elif yes >= level.minimum:
        tag = Tag("Approved", "good")
    else:
        tag = Tag("Waiting", "warning" if number in one.open_levels else "")
    return Row(
        (
            Cell(str(number + 1)),
            Cell(approvers_text(level, names)),
            Cell(f"{yes} of {level.minimum}", tags=(tag,)),
            Cell("; ".join(map(_decision_text, here)) or "\N{EN DASH}"),
        )
    )


def _decision_text(one: DecisionRead) -> str:
    verb = "approved" if one.decision == "approve" else "rejected"
    behalf = f" on behalf of {one.on_behalf_of_name}" if one.on_behalf_of_name else ""
    comment = f": {one.comment}" if one.comment else ""
    return f"{one.user_name} {verb}{behalf}{comment}"


def approvers_text(approvers: Approvers, names: Mapping[UUID, str]) -> str:
    """Users, groups and roles by their names; what is gone is left out."""
    parts = [
        f"{thing}{names[one]}"
        for thing, ids in (("", approvers.users), ("group ", approvers.groups), ("role ", approvers.roles))
        for one in ids
        if one in names
    ]
    return ", ".join(parts) or "\N{EN DASH}"


def decision_forms(one: ApprovalDetail) -> list[EntryForm]:
    """What the reader may do."""
    base = f"{HOME}/{one.id}"
    forms = [APPROVE.shown(f"{base}/approve", is_open=True), REJECT.shown(f"{base}/reject")]
    return [*(forms if one.can_decide else ()), *([CANCEL.shown(f"{base}/cancel")] if one.can_cancel else ())]


def delegation_table(delegations: Sequence[DelegationRead]) -> Table:
    """Who decides for whom."""
    rows = tuple(
        Row(
            (
                Cell(one.from_user),
                Cell(one.to_user),
                Cell(at=one.starts_at, kind="time"),
                Cell(at=one.ends_at, kind="time"),
            ),
            (RowAction("End", f"{DELEGATIONS}/{one.id}/end", "End this delegation?"),),
        )
        for one in delegations
    )
    return Table(
        "delegations",
        "Delegations",
        ("Approver", "Decides for them", "From", "Until"),
        rows,
        empty="No delegations. While you are away, another user can decide in your place.",
    )
