"""The list of refused samples. Pure."""

from collections.abc import Callable

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Fragment
from fleetkeeper.console.contexts.refusals import RefusedExample
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.panels import with_query
from fleetkeeper.console.retention_panels import grouped
from fleetkeeper.console.sender_forms import PROTOCOLS, REFUSED, SENDING
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals.queries import LISTING
from fleetkeeper.telemetry.refusals.schemas import RefusalRead
from fleetkeeper.telemetry.refusals.service import KEPT_DAYS

TITLES = {
    "id": "ID",
    "department_id": "Department ID",
    "device_id": "Device ID",
    "token_id": "Token ID",
    "reason": "Reason",
}


def refusal_list(*, with_tokens: bool) -> ListPage[RefusalRead]:
    """The list; those who may not read tokens get their names without links."""

    def origin(one: RefusalRead) -> Cell:
        named = [one.device_name or "", one.token_name or "", one.department_name or ""]
        first, *rest = filter(None, named) if any(named) else ("",)
        href = f"/devices/{one.device_id}" if one.device_id else ""
        if not one.device_id and one.token_id and with_tokens:
            href = with_query("/tokens", q=one.token_name or "")
        return Cell(first, href, detail=" · ".join(rest))

    return ListPage(
        path=REFUSED,
        title="Refused samples",
        noun=("reason", "reasons"),
        listing=LISTING,
        search="Reason, example, device or token",
        quick=(
            QuickFilter(
                "protocol",
                "Protocol",
                tuple(Choice(name, PROTOCOLS[name]) for name in (*SENDING, "native")),
                everything="All protocols",
            ),
            QuickFilter(
                "reason",
                "Reason",
                tuple(Choice(one.value, _sentence(one.sentence)) for one in Reason),
                everything="All reasons",
            ),
        ),
        columns=(
            Column("reason", "Reason", _reason, sort="reason", css="col-reason"),
            Column("samples", "Refused", _amount, sort="samples", falls_first=True),
            Column("device_name", "From", origin),
            Column(
                "protocol",
                "Protocol",
                lambda one: Cell(PROTOCOLS.get(one.protocol, one.protocol)),
                sort="protocol",
                css="is-minor",
            ),
            Column("last_seen", "Last seen", _moment("last_seen"), sort="last_seen", falls_first=True),
            Column("example", "Example", _example, css="is-wide col-example"),
            Column(
                "first_seen", "Since", _moment("first_seen"), "first_seen", falls_first=True, is_extra=True
            ),
        ),
        titles=TITLES,
        empty=Empty(
            "No refused samples",
            "Samples that agents or integrations send and that cannot be stored are listed here, with an example "
            f"and a cure, for {KEPT_DAYS} days after the last one.",
            narrowed="Try fewer filters, or part of an example.",
        ),
        export="/api/v1/telemetry/refusals/export",
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _reason(one: RefusalRead) -> Cell:
    return Cell(_sentence(one.meaning), detail=one.cure)


def _amount(one: RefusalRead) -> Cell:
    unit = "request" if one.reason == Reason.REQUEST else "sample"
    return Cell(f"{grouped(one.samples)} {unit}{'' if one.samples == 1 else 's'}")


def _example(one: RefusalRead) -> Cell:
    answer = one.sentence if one.sentence != one.meaning else ""
    return Cell(
        kind="fragment", fragment=Fragment("senders/_example.html", RefusedExample(answer, one.example))
    )


def _moment(name: str) -> Callable[[RefusalRead], Cell]:
    return lambda one: Cell(at=getattr(one, name), kind="time", is_soft=True)
