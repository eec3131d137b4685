"""The parts of the pages of integrations."""

from collections.abc import Collection
from dataclasses import replace
from itertools import chain, count
from urllib.parse import quote

from fleetkeeper.console.contexts.panels import (
    Cell,
    Code,
    Facts,
    Panel,
    Tag,
)
from fleetkeeper.console.sender_configurations import configurations
from fleetkeeper.console.sender_forms import HOME, MOVE, PROTOCOLS
from fleetkeeper.console.tokens import token_secret
from fleetkeeper.identity.tokens.schemas import TokenCreated
from fleetkeeper.telemetry.senders.schemas import HostRead, TrialRead

CONNECTED = "connected"
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


def host_address(host: HostRead) -> str:
    """The page of a host."""
    return f"{HOME}/hosts/{host_path(host)}"


def host_path(host: HostRead) -> str:
    """How a host is named in addresses: with its device where others have it too."""
    which = "" if host.standing == "only" else f"?device_id={host.device_id}"
    return quote(host.host) + which


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
    return (facts, replace(MOVE.shown(f"{HOME}/hosts/move/{host_path(host)}"), text=text))


def connected_panels(server: str, source: str, token: TokenCreated) -> list[Panel | None]:
    """The one time that a token is shown: alone, and in the configuration that it was made for."""
    chosen = next(one for one in configurations(server, token.token) if one.title == source)
    text = f"With the token, which is not shown again. {chosen.text}"
    return [token_secret(token), Code(CONNECTED, f"{chosen.title} configuration", text, chosen.code)]


def code_panels(server: str) -> list[Panel | None]:
    """Configurations to paste, for those who have a token."""
    return [Code(one.id, one.title, one.text, one.code) for one in configurations(server)]


def free_name(source: str, taken: Collection[str]) -> str:
    """A name for another token of that source: with the first number that none has yet."""
    names = chain([source], (f"{source} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)
