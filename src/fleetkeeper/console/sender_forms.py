"""The forms of the pages of integrations. Pure."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.sender_configurations import configurations
from fleetkeeper.telemetry.senders.schemas import (
    Host,
    LabelNames,
    SenderRuleCreate,
    SenderRuleRead,
    SenderRuleUpdate,
)

HOME = "/senders"
REFUSED = f"{HOME}/refused"
RULES = f"{HOME}/rules"
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
_SPOKEN = [Option(key, PROTOCOLS[key]) for key in SENDING]


def _words(names: list[str]) -> list[str]:
    return [word for name in names for word in name.split()]


def _source(title: str) -> str:
    if title not in {one.title for one in configurations("")}:
        raise ValueError("Choose a source")
    return title


# Blanks separate them as commas do.
_Labels = Annotated[LabelNames, BeforeValidator(_words)]
_Device = Annotated[str, Field(min_length=1)]


class NewRule(SenderRuleCreate):
    """A new rule as people enter it."""

    labels: _Labels


class ChangedRule(SenderRuleUpdate):
    """The same of one that is there."""

    labels: _Labels | None = None


class TrialForm(BaseModel):
    """Labels to try the rules with, as one text."""

    protocol: str = "prometheus"
    labels: str = ""

    def trial(self) -> dict[str, Any]:
        """The trial: labels as `name=value`, separated by commas or lines; quotes and braces may stay."""
        parts = self.labels.strip("{}").replace('"', "").replace("\n", ",").split(",")
        pairs = [part.partition("=") for part in parts if "=" in part]
        labels = {name.strip(): value.strip() for name, _, value in pairs}
        return {"protocol": self.protocol, "labels": labels}


class SourceForm(BaseModel):
    """What is to be connected."""

    source: Annotated[str, AfterValidator(_source)]


class MoveForm(BaseModel):
    """The device that a host is from now on, by name or ID."""

    device: _Device


class HostForm(MoveForm):
    """A host that is known before it writes."""

    host: Host


_RULE: dict[str, Widget | str] = {
    "description": Widget("Description", kind="text"),
    "protocol": "Protocol",
    "labels": Widget(
        "Labels",
        hint="Label names in order of precedence, such as instance, host.name",
        kind="text",
        is_required=True,
    ),
    "pattern": Widget(
        "Pattern",
        hint="Regular expression (RE2) whose group is the host. Empty: the whole value",
        kind="text",
    ),
    "position": Widget("Order", hint="1 is tried first"),
}
NEW_RULE = Form(NewRule, "rule", "Create rule", "Create rule", _RULE)
CHANGE_RULE = Form(ChangedRule, "rule", "Edit rule", "Save changes", _RULE)
TRY = Form(
    TrialForm,
    "try",
    "Test rules",
    "Test",
    {
        "protocol": "Protocol",
        "labels": Widget("Labels of a sample", hint="As in instance=web1:9100, job=node", is_required=True),
    },
)
CONNECT = Form(
    SourceForm,
    "connect",
    "Connect a source",
    "Create token",
    {"source": "Source"},
    text="Creates a token that can only send telemetry, and shows the configuration with it.",
)
_DEVICE = {"device": Widget("Device", hint="Name or ID")}
NEW_HOST = Form(
    HostForm,
    "host",
    "Assign host to device",
    "Assign host",
    {"host": Widget("Host", hint="As the integration sends it, without port"), **_DEVICE},
)
MOVE = Form(MoveForm, "move", "Move to another device", "Move host", _DEVICE, is_danger=True)


def rule_form(rule: SenderRuleRead | None, action: str) -> EntryForm:
    """A new rule, or one to change."""
    options = {"protocol": [Option("any", PROTOCOLS["any"]), *_SPOKEN]}
    if rule is None:
        return NEW_RULE.shown(action, options=options)
    return CHANGE_RULE.shown(action, rule, options=options, is_open=True)


def trial_form(entered: TrialForm | None = None) -> EntryForm:
    """Asks which device it would be."""
    return TRY.shown(f"{RULES}/try", entered, options={"protocol": _SPOKEN}, is_open=True)


def source_form() -> EntryForm:
    """Makes the token that a configuration needs, and nothing else."""
    sources = [Option(one.title, one.title) for one in configurations("")]
    return CONNECT.shown(f"{HOME}/connect", options={"source": sources}, is_open=True)
