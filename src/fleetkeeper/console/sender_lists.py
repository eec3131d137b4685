"""Hosts and rules of integrations as lists. Pure."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, RowAction, Tag
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.sender_forms import HOME, PROTOCOLS, RULES, SENDING
from fleetkeeper.console.sender_panels import STANDINGS, host_address, host_path
from fleetkeeper.telemetry.senders.queries import HOSTS as HOSTS_LISTING
from fleetkeeper.telemetry.senders.queries import RULES as RULES_LISTING
from fleetkeeper.telemetry.senders.schemas import HostRead, SenderRuleRead

SOURCES = tuple(Choice(name, title) for name, title in PROTOCOLS.items() if name not in {"", "any"})
ENABLED = QuickFilter("enabled", "State", (Choice("true", "On"), Choice("false", "Off")), is_chips=True)


def host_list(*, may_move: bool) -> ListPage[HostRead]:
    """Host names that integrations use for devices."""

    def actions(host: HostRead) -> tuple[RowAction, ...]:
        if not may_move:
            return ()
        consequence = (
            f"Remove host “{host.host}” from {host.device_name}? Its next samples are assigned by the rules."
        )
        return (RowAction("Remove", f"{HOME}/hosts/forget/{host_path(host)}", consequence),)

    def name(host: HostRead) -> Cell:
        tags = ((Tag("Primary"),) if host.is_primary else ()) + STANDINGS[host.standing]
        return Cell(host.host, host_address(host), tags=tags)

    return ListPage(
        path=HOME,
        title="Integrations",
        noun=("host", "hosts"),
        listing=HOSTS_LISTING,
        search="Host or device",
        quick=(QuickFilter("protocol", "Source", SOURCES, everything="All sources"),),
        columns=(
            Column("host", "Host", name, sort="host"),
            Column(
                "device_name",
                "Device",
                lambda one: Cell(one.device_name, f"/devices/{one.device_id}"),
                sort="device_name",
            ),
            Column(
                "protocol",
                "Source",
                lambda one: Cell(PROTOCOLS.get(one.protocol, one.protocol)),
                sort="protocol",
            ),
            Column(
                "first_seen",
                "First seen",
                lambda one: Cell(at=one.first_seen, kind="time", is_soft=True),
                sort="first_seen",
                falls_first=True,
            ),
        ),
        actions=actions,
        titles={"device_id": "Device ID", "department_id": "Department ID", "is_primary": "Primary name"},
        heading="Hosts",
        text="Host names that integrations use for devices. Each applies within its device's department.",
        empty=Empty(
            "No integration has sent data yet", "Connect a source, or use one of the configurations below."
        ),
        export="/api/v1/telemetry/hosts-export",
    )


@dataclass(frozen=True)
class RankedRule:
    """A rule, and how many there are."""

    rule: SenderRuleRead
    number: int


def rule_list(*, may_write: bool) -> ListPage[RankedRule]:
    """Rules in the order in which they are tried."""
    return ListPage(
        path=RULES,
        title="Rules",
        noun=("rule", "rules"),
        listing=RULES_LISTING,
        search="Description",
        quick=(
            ENABLED,
            QuickFilter(
                "protocol",
                "Protocol",
                tuple(Choice(name, PROTOCOLS[name]) for name in ("any", *SENDING)),
                everything="All protocols",
            ),
        ),
        columns=(
            Column(
                "description",
                "Description",
                lambda one: Cell(one.rule.description or "Rule", f"{RULES}/{one.rule.id}"),
                sort="description",
            ),
            Column("position", "Order", lambda one: Cell(str(one.rule.position)), sort="position"),
            Column("protocol", "Protocol", lambda one: Cell(PROTOCOLS[one.rule.protocol]), sort="protocol"),
            Column("labels", "Labels", lambda one: Cell(", ".join(one.rule.labels))),
            Column("pattern", "Pattern", lambda one: Cell(one.rule.pattern, is_soft=True)),
            Column("enabled", "State", lambda one: Cell(tags=(_state(one.rule),))),
        ),
        actions=(lambda one: _actions(one.rule, one.number)) if may_write else lambda _: (),
        titles={"id": "ID", "created_at": "Created", "updated_at": "Changed"},
        text="The first rule that finds a host in a sample's labels decides which device it belongs to.",
        empty=Empty("No rules yet", "Samples of integrations are refused until a rule finds their device."),
    )


def rule_facts(rule: SenderRuleRead) -> Facts:
    """One rule."""
    return Facts(
        "facts",
        "Rule",
        (
            ("Description", Cell(rule.description)),
            ("Order", Cell(str(rule.position))),
            ("Protocol", Cell(PROTOCOLS[rule.protocol])),
            ("Labels", Cell(", ".join(rule.labels))),
            ("Pattern", Cell(rule.pattern)),
            ("State", Cell(tags=(_state(rule),))),
        ),
    )


def _state(rule: SenderRuleRead) -> Tag:
    return Tag("On", "good") if rule.enabled else Tag("Off")


def _actions(rule: SenderRuleRead, number: int) -> tuple[RowAction, ...]:
    base = f"{RULES}/{rule.id}"
    found = []
    if rule.position > 1:
        earlier = f"Try rule {rule.position} before the one above it?"
        found.append(RowAction("Up", f"{base}/move/{rule.position - 1}", earlier, is_danger=False))
    if rule.position < number:
        later = f"Try rule {rule.position} after the one below it?"
        found.append(RowAction("Down", f"{base}/move/{rule.position + 1}", later, is_danger=False))
    if rule.enabled:
        off = "Turn the rule off? Samples that no other rule assigns to a device are refused."
        found.append(RowAction("Turn off", f"{base}/enable/false", off, is_danger=False))
    else:
        found.append(RowAction("Turn on", f"{base}/enable/true", "Turn the rule on?", is_danger=False))
    gone = "Delete the rule? Samples that no other rule assigns to a device are refused."
    found.append(RowAction("Delete", f"{base}/delete", gone))
    return tuple(found)
