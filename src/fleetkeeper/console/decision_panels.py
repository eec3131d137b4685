"""Decisions of agents as lists and pages show them. Pure."""

from collections.abc import Sequence

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Row, Table, Tag
from fleetkeeper.console.contexts.space import Chart
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.console.space_charts import stacked_chart
from fleetkeeper.device_requests.decisions.queries import LISTING
from fleetkeeper.device_requests.decisions.schemas import (
    Agreement,
    DecisionDetail,
    DecisionRead,
    Verdict,
    VerdictRead,
    VerdictWrite,
)

HOME = "/agent-decisions"
_DASH = "\N{EN DASH}"
_TAGS = {
    Verdict.AGREE: Tag("Agreed", "good"),
    Verdict.DISAGREE: Tag("Disagreed", "bad"),
    Verdict.OUTCOME: Tag("Outcome"),
}
_COMMENT = Widget("Comment", kind="area", is_required=False)
AGREE = Form(VerdictWrite, "agree", "Agree", "Agree", {"comment": _COMMENT})
DISAGREE = Form(VerdictWrite, "disagree", "Disagree", "Disagree", {"comment": _COMMENT}, is_danger=True)
OUTCOME = Form(
    VerdictWrite,
    "outcome",
    "Record outcome",
    "Record outcome",
    {"comment": Widget("Outcome", kind="area", hint="How it turned out")},
)


def _confidence(one: DecisionRead) -> Cell:
    return Cell(f"{one.confidence_score:.0%}")


def _verdict(one: DecisionRead) -> Cell:
    if one.verdict is not None:
        return Cell(tags=(_TAGS[one.verdict],))
    return (
        Cell(tags=(Tag("Needs verdict", "warning"),)) if one.waits_for_person else Cell(_DASH, is_soft=True)
    )


def _decision(one: DecisionRead) -> Cell:
    return Cell(one.decision_value[:100], f"{HOME}/{one.id}", detail=one.decision_type)


def _request(one: DecisionRead) -> Cell:
    return Cell(one.request_type, f"{REQUESTS_HOME}/{one.request_id}")


DECISIONS: ListPage[DecisionRead] = ListPage(
    path=HOME,
    title="Agent decisions",
    noun=("decision", "decisions"),
    listing=LISTING,
    search="Agent, type or decision",
    quick=(
        QuickFilter(
            "verdict",
            "Verdict",
            (
                Choice(Verdict.AGREE, "Agreed"),
                Choice(Verdict.DISAGREE, "Disagreed"),
                Choice("none", "No verdict", means=(("verdict__isnull", "true"),)),
            ),
            is_chips=True,
        ),
    ),
    columns=(
        Column("decision_value", "Decision", _decision),
        Column("agent_name", "Agent", lambda one: Cell(one.agent_name, detail=one.agent_model), sort="agent"),
        Column("request_type", "Request", _request),
        Column("confidence_score", "Confidence", _confidence, sort="confidence"),
        Column("verdict", "Verdict", _verdict, field="verdict"),
        Column(
            "created_at",
            "Recorded",
            lambda one: Cell(at=one.created_at, kind="time"),
            sort="created_at",
            falls_first=True,
        ),
    ),
    titles={"id": "ID", "request_id": "Request ID", "device_id": "Device ID", "type": "Decision type"},
    empty=Empty(
        "No decisions yet",
        "Agents record what they decide about device requests with POST /api/v1/agent-decisions.",
        action=(REQUESTS_HOME, "View device requests"),
    ),
    export="/api/v1/agent-decisions/export",
)


def decisions_table(decisions: Sequence[DecisionRead]) -> Table:
    """The decisions about one request."""
    rows = tuple(
        Row(
            (
                _decision(one),
                Cell(one.agent_name),
                _confidence(one),
                _verdict(one),
                Cell(at=one.created_at, kind="time"),
            )
        )
        for one in decisions
    )
    columns = ("Decision", "Agent", "Confidence", "Verdict", "Recorded")
    return Table("decisions", "Decisions of agents", columns, rows, is_stacked=True)


def decision_facts(one: DecisionDetail) -> Facts:
    """What was decided, by whom, and how sure it was."""
    return Facts(
        "decision",
        "Decision",
        (
            ("Decision", Cell(one.decision_value)),
            ("Type", Cell(one.decision_type)),
            ("Confidence", _confidence(one)),
            ("Agent", Cell(one.agent_name)),
            ("Model", Cell(" ".join(filter(None, (one.agent_model, one.agent_version))) or _DASH)),
            ("Request", _request(one)),
            ("Recorded by", Cell(one.recorded_by or _DASH)),
            ("Recorded", Cell(at=one.created_at, kind="time")),
        ),
    )


def verdicts_table(verdicts: Sequence[VerdictRead]) -> Table:
    """What people said of it."""
    rows = tuple(
        Row(
            (
                Cell(tags=(_TAGS[one.verdict],)),
                Cell(one.user_name),
                Cell(one.comment),
                Cell(at=one.created_at, kind="time"),
            )
        )
        for one in verdicts
    )
    return Table(
        "verdicts",
        "Verdicts",
        ("Verdict", "By", "Comment", "When"),
        rows,
        empty="Nobody has judged this decision yet.",
        is_stacked=True,
    )


def verdict_forms(one: DecisionDetail) -> list[EntryForm]:
    """What people can say of it."""
    base = f"{HOME}/{one.id}"
    return [
        AGREE.shown(f"{base}/agree", is_open=one.waits_for_person),
        DISAGREE.shown(f"{base}/disagree"),
        OUTCOME.shown(f"{base}/outcome"),
    ]


def agreement_chart(found: Agreement) -> Chart:
    """Judged decisions of each week: those that people agreed with, below those that they did not."""
    moments = sorted({one.start for one in found.points})
    agreed = [float(sum(one.agreed for one in found.points if one.start == at)) for at in moments]
    judged = [float(sum(one.judged for one in found.points if one.start == at)) for at in moments]
    others = [total - part for total, part in zip(judged, agreed, strict=True)]
    return stacked_chart(
        "agreement",
        "Agreement",
        "Judged decisions of the last 26 weeks, by week.",
        moments if any(judged) else [],
        {"Agreed": agreed, "Disagreed": others},
        lambda value: f"{value:.0f}",
        "Not enough verdicts yet. The chart starts with the second week.",
    )


def agreement_table(found: Agreement) -> Table | None:
    """How often people agreed with each agent."""
    agents = sorted({one.agent for one in found.points})
    rows = []
    for agent in agents:
        own = [one for one in found.points if one.agent == agent]
        judged, agreed = sum(one.judged for one in own), sum(one.agreed for one in own)
        share = f"{agreed / judged:.0%}" if judged else _DASH
        total = sum(one.decisions for one in own)
        rows.append(Row((Cell(agent), Cell(f"{total:,}"), Cell(f"{judged:,}"), Cell(share))))
    if not rows:
        return None
    columns = ("Agent", "Decisions", "Judged", "Agreement")
    return Table("agents", "Agents", columns, tuple(rows), text="In the last 26 weeks.", is_stacked=True)
