"""The parts of the pages of integrations."""

from collections.abc import Collection, Mapping
from itertools import chain, count
from typing import Any
from urllib.parse import quote

from fleetkeeper.console.contexts.panels import (
    Cell,
    Code,
    Entry,
    EntryForm,
    Facts,
    Option,
    Panel,
    Tag,
)
from fleetkeeper.console.sender_configurations import configurations
from fleetkeeper.console.tokens import token_secret
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.tokens.schemas import TokenCreated
from fleetkeeper.telemetry.senders.schemas import HostRead, SenderRuleRead, TrialRead

HOME = "/senders"
REFUSED = f"{HOME}/refused"
RULES = f"{HOME}/rules"
CONNECT, CONNECTED = "connect", "connected"
TRY, NEW_RULE, NEW_HOST = "try", "rule", "host"
PROTOCOLS = {
    "any": "Any",
    "prometheus": "Prometheus",
    "influx": "Influx line protocol",
    "otlp": "OpenTelemetry",
    "collectd": "collectd",
    "native": "Fleetkeeper agent",
    "enrollment": "Enrollment",
    "": "Entered by hand",
}
# Those that integrations speak, which rules are about.
SENDING = ("prometheus", "influx", "otlp", "collectd")
OUTCOMES = {
    "known": ("Known", "good"),
    "new": ("No such device yet", "warning"),
    "no_host": ("No host found", "bad"),
    "bad_host": ("Not a host", "bad"),
}


STANDINGS = {
    "only": (),
    "first": (Tag("Oldest claim"),),
    "later": (Tag("Claimed later", "warning"),),
    "overruled": (Tag("In conflict", "bad"),),
}
STANDING_TEXTS = {
    "only": "No other device that you can see has this host.",
    "first": "Other devices have this host. This one had it first and gets samples of tokens for several departments.",
    "later": "A device in another department had it first and gets the samples of tokens for both.",
    "overruled": "Another device in this department had it first and gets its samples. Remove one of the two.",
}


def trial_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The trial in a form: labels as `name=value`, separated by commas or blanks; quotes and braces may stay."""
    text = form.get("labels", "").strip().strip("{}")
    labels = {}
    for part in text.replace('"', "").replace("\n", ",").split(","):
        name, equals, value = part.partition("=")
        if equals:
            labels[name.strip()] = value.strip()
    return {"protocol": form.get("protocol", "prometheus"), "labels": labels}


def trial_form(values: Mapping[str, str]) -> EntryForm:
    """Asks which device it would be."""
    chosen = values.get("protocol", "prometheus")
    options = tuple(Option(key, name, key == chosen) for key, name in PROTOCOLS.items() if key in SENDING)
    return EntryForm(
        TRY,
        "Test rules",
        f"{RULES}/try",
        "Test",
        (
            Entry("protocol", "Protocol", chosen, kind="select", options=options),
            Entry(
                "labels",
                "Labels of a sample",
                values.get("labels", ""),
                hint="As in instance=web1:9100, job=node",
            ),
        ),
        is_open=True,
    )


def trial_facts(trial: TrialRead) -> Facts:
    """What the rules make of labels."""
    text, tone = OUTCOMES[trial.outcome]
    facts = [("Outcome", Cell(tags=(Tag(text, tone),), detail=trial.text))]
    if trial.rule is not None:
        where = f"Rule {trial.rule.position}, label {trial.label}"
        facts.append(("Host", Cell(trial.host or "", detail=where)))
    if trial.device_id is not None:
        facts.append(("Device", Cell(trial.device_name or "", f"/devices/{trial.device_id}")))
    return Facts("trial", "Test result", tuple(facts))


def rule_values(form: Mapping[str, str]) -> dict[str, Any]:
    """A rule in a form."""
    labels = [name for name in form.get("labels", "").replace(",", " ").split() if name]
    values: dict[str, Any] = {
        "protocol": form.get("protocol", "any"),
        "labels": labels,
        "pattern": form.get("pattern", "").strip(),
        "description": form.get("description", "").strip(),
    }
    if form.get("position", "").strip():
        values["position"] = form["position"].strip()
    return values


def rule_form(rule: SenderRuleRead | None, action: str) -> EntryForm:
    """A new rule, or one to change."""
    chosen = rule.protocol if rule is not None else "any"
    options = tuple(Option(key, PROTOCOLS[key], key == chosen) for key in ("any", *SENDING))
    entries = (
        Entry("description", "Description", rule.description if rule else "", is_required=False),
        Entry("protocol", "Protocol", chosen, kind="select", options=options),
        Entry(
            "labels",
            "Labels",
            ", ".join(rule.labels) if rule else "",
            hint="Label names in order of precedence, such as instance, host.name",
        ),
        Entry(
            "pattern",
            "Pattern",
            rule.pattern if rule else "",
            hint="Regular expression (RE2) whose group is the host. Empty: the whole value",
            is_required=False,
        ),
        Entry("position", "Order", str(rule.position) if rule else "", kind="number", is_required=False),
    )
    title, submit = ("Edit rule", "Save changes") if rule else ("Create rule", "Create rule")
    return EntryForm(NEW_RULE, title, action, submit, entries, is_open=rule is not None)


def host_address(host: HostRead) -> str:
    """The page of a host."""
    return f"{HOME}/hosts/{host_path(host)}"


def host_path(host: HostRead) -> str:
    """How a host is named in addresses: with its device where others have it too."""
    which = "" if host.standing == "only" else f"?device_id={host.device_id}"
    return quote(host.host) + which


def new_host_form() -> EntryForm:
    """A host that is known before it writes."""
    return EntryForm(
        NEW_HOST,
        "Assign host to device",
        f"{HOME}/hosts",
        "Assign host",
        (
            Entry("host", "Host", hint="As the integration sends it, without port"),
            Entry("device", "Device", hint="Name or ID"),
        ),
    )


def host_forms(host: HostRead, *, may_move: bool) -> tuple[Panel, ...]:
    """One host, and how to give it to another device."""
    facts = Facts(
        "facts",
        "Host",
        (
            ("Device", Cell(host.device_name, f"/devices/{host.device_id}")),
            ("Source", Cell(PROTOCOLS.get(host.protocol, host.protocol))),
            ("First seen", Cell(at=host.first_seen, kind="time")),
            ("Other devices", Cell(STANDING_TEXTS[host.standing], tags=STANDINGS[host.standing])),
            ("Primary name", Cell("Yes: labels show it" if host.is_primary else "No")),
        ),
    )
    if not may_move:
        return (facts,)
    text = (
        f"New samples of {host.host} will belong to the device you name. "
        f"Stored samples stay with {host.device_name}"
    )
    text += ", and their labels show its name." if host.is_primary else "."
    move = EntryForm(
        "move",
        "Move to another device",
        f"{HOME}/hosts/move/{host_path(host)}",
        "Move host",
        (Entry("device", "Device", hint="Name or ID"),),
        text=text,
        is_danger=True,
    )
    return (facts, move)


def token_form() -> EntryForm:
    """Makes the token that a configuration needs, and nothing else."""
    sources = tuple(Option(one.title, one.title) for one in configurations(""))
    return EntryForm(
        CONNECT,
        "Connect a source",
        f"{HOME}/connect",
        "Create token",
        (Entry("source", "Source", kind="select", options=sources),),
        text="Creates a token that can only send telemetry, and shows the configuration with it.",
        is_open=True,
    )


def connected_panels(server: str, source: str, token: TokenCreated) -> list[Panel | None]:
    """The one time that a token is shown: alone, and in the configuration that it was made for."""
    chosen = next(one for one in configurations(server, token.token) if one.title == source)
    text = f"With the token, which is not shown again. {chosen.text}"
    return [token_secret(token), Code(CONNECTED, f"{chosen.title} configuration", text, chosen.code)]


def code_panels(server: str) -> list[Panel | None]:
    """Configurations to paste, for those who have a token."""
    return [Code(one.id, one.title, one.text, one.code) for one in configurations(server)]


def source_of(form: Mapping[str, str]) -> str:
    """The source that was chosen. Raises InvalidInputError."""
    source = form.get("source", "")
    if source not in {one.title for one in configurations("")}:
        raise InvalidInputError(
            "Correct the marked fields.", fields=[FieldError("source", "Choose a source")]
        )
    return source


def free_name(source: str, taken: Collection[str]) -> str:
    """A name for another token of that source: with the first number that none has yet."""
    names = chain([source], (f"{source} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)
