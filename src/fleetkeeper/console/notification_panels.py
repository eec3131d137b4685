"""Channels, rules and deliveries as forms, tables and lists. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Option, Row, RowAction, Table, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.notifications.channels.schemas import (
    ChannelCreate,
    ChannelKind,
    ChannelRead,
    ChannelTest,
    ChannelTestOutcome,
    ChannelUpdate,
    MailSecurity,
)
from fleetkeeper.notifications.deliveries import queries as deliveries
from fleetkeeper.notifications.deliveries.schemas import DeliveryRead
from fleetkeeper.notifications.deliveries.status import DELIVERIES, DeliveryState
from fleetkeeper.notifications.events import Severity
from fleetkeeper.notifications.rules.schemas import EventTypeRead, RuleCreate, RuleRead, RuleUpdate

HOME = "/notifications"
EVERYBODY = "All departments"
KINDS = {ChannelKind.EMAIL: "Email", ChannelKind.WEBHOOK: "Webhook", ChannelKind.CHAT: "Chat"}
TONES = {Severity.INFO: "", Severity.WARNING: "warning", Severity.CRITICAL: "bad"}

_OF_KIND: dict[ChannelKind, dict[str, Widget | str]] = {
    ChannelKind.EMAIL: {
        "host": Widget("Mail server", is_required=True),
        "port": Widget("Port", is_required=True),
        "security": Widget("Security", is_required=True),
        "sender": Widget("From address", is_required=True),
        "username": "Username",
        "secret": Widget("Password", hint="Stored encrypted and never shown again", kind="password"),
    },
    ChannelKind.WEBHOOK: {
        "url": Widget("URL", kind="url", is_required=True),
        "secret": Widget("Signing secret", hint="Leave empty to have one created", kind="password"),
        "format": Widget(
            "Format", "Alertmanager: the body of Prometheus' Alertmanager, for alerts", is_required=False
        ),
    },
    ChannelKind.CHAT: {
        "secret": Widget(
            "Apprise URL",
            hint="Such as slack://… or ntfys://…; stored encrypted and never shown again",
            kind="password",
            is_required=True,
        ),
    },
}
_RATE = Widget("Maximum per minute", hint="Further notifications wait", is_required=True)
_DEPARTMENT = Widget("Department", hint="Department that owns the channel")
NEW_CHANNEL = {
    kind: Form(
        ChannelCreate,
        f"new-{kind}",
        f"Create {KINDS[kind].lower()} channel",
        "Create channel",
        {
            "kind": Widget("", kind="hidden"),
            "name": "Name",
            **fields,
            "per_minute": _RATE,
            "department_id": _DEPARTMENT,
        },
    )
    for kind, fields in _OF_KIND.items()
}
CHANGE_CHANNEL = {
    kind: Form(
        ChannelUpdate,
        "change",
        "Edit channel",
        "Save changes",
        {
            "name": Widget("Name", is_required=True),
            "enabled": "Enabled",
            **{name: widget for name, widget in fields.items() if name != "secret"},
            "per_minute": _RATE,
        },
    )
    for kind, fields in _OF_KIND.items()
}
NEW_SECRET = {
    ChannelKind.EMAIL: Form(
        ChannelUpdate,
        "secret",
        "Change password",
        "Save password",
        {"secret": Widget("Password", kind="password", is_required=True)},
    ),
    ChannelKind.CHAT: Form(
        ChannelUpdate,
        "secret",
        "Change Apprise URL",
        "Save URL",
        {"secret": Widget("Apprise URL", kind="password", is_required=True)},
    ),
}
TEST = Form(
    ChannelTest,
    "test",
    "Send test",
    "Send test",
    {"recipient": Widget("Recipient", hint="Empty: your own address", kind="email")},
)
_RULE: dict[str, Widget | str] = {
    "name": Widget("Name", is_required=True),
    "events": Widget("Events", kind="ticks", is_required=True),
    "minimum_severity": "Minimum severity",
    "channel_id": Widget("Channel", is_required=True),
    "addresses": Widget("Email addresses", hint="For email channels; separated by commas", kind="text"),
    "user_ids": Widget("Users", hint="For email channels; usernames, separated by commas", kind="text"),
    "group_ids": Widget("Groups", kind="ticks"),
}
NEW_RULE = Form(
    RuleCreate,
    "new-rule",
    "Create rule",
    "Create rule",
    {
        **_RULE,
        "department_id": Widget("Department", hint="Only events of this department and those below it"),
    },
)
CHANGE_RULE = Form(RuleUpdate, "change", "Edit rule", "Save changes", {**_RULE, "enabled": "Enabled"})


def new_channel_form(kind: ChannelKind, departments: Sequence[Option]) -> EntryForm:
    """The form that creates a channel of a kind."""
    is_mail = kind == ChannelKind.EMAIL
    port, security = (587, MailSecurity.STARTTLS) if is_mail else (None, None)
    present = ChannelCreate.model_construct(kind=kind, port=port, security=security)
    return NEW_CHANNEL[kind].shown(f"{HOME}/channels/{kind}", present, options={"department_id": departments})


def channel_table(channels: Sequence[ChannelRead], departments: Mapping[UUID, str]) -> Table:
    """All channels."""
    return Table(
        "channels",
        "Channels",
        ("Channel", "Kind", "Sends to", "Department"),
        tuple(
            Row(
                (
                    Cell(one.name, f"{HOME}/channels/{one.id}", tags=enabled_tags(is_enabled=one.enabled)),
                    Cell(KINDS[one.kind]),
                    Cell(target_of(one), is_soft=True),
                    Cell(department_name(one.department_id, departments), is_soft=True),
                )
            )
            for one in channels
        ),
        empty="No channels yet. A channel is a mail server, webhook or chat service that sends notifications.",
    )


def target_of(channel: ChannelRead) -> str:
    """Where a channel leads, as far as it is no secret."""
    if channel.kind == ChannelKind.EMAIL:
        return f"{channel.host}:{channel.port}"
    return channel.url or channel.service or ""


def department_name(department_id: UUID | None, departments: Mapping[UUID, str]) -> str:
    """A department's path."""
    return EVERYBODY if department_id is None else departments.get(department_id, "")


def enabled_tags(*, is_enabled: bool) -> tuple[Tag, ...]:
    """A tag for what is switched off."""
    return () if is_enabled else (Tag("Disabled", "warning"),)


def channel_facts(channel: ChannelRead, departments: Mapping[UUID, str]) -> Facts:
    """What a channel is; of its secret that there is one."""
    rows = [
        ("Kind", Cell(KINDS[channel.kind])),
        ("Sends to", Cell(target_of(channel))),
        ("Secret", Cell("Set" if channel.has_secret else "Not set")),
        ("Department", Cell(department_name(channel.department_id, departments))),
        ("Maximum per minute", Cell(str(channel.per_minute))),
    ]
    if channel.kind == ChannelKind.WEBHOOK:
        rows.insert(2, ("Format", Cell(words_of(channel.format))))
    if channel.previous_secret_until is not None:
        until = Cell(at=channel.previous_secret_until, kind="time", style="exact")
        rows.append(("Signed with the old secret until", until))
    return Facts("channel", "Channel", tuple(rows))


def test_facts(outcome: ChannelTestOutcome) -> Facts:
    """How a test went."""
    tag = Tag("Sent", "good") if outcome.works else Tag("Failed", "bad")
    return Facts("test-result", "Test result", (("Result", Cell(tags=(tag,), detail=outcome.detail)),))


def rule_table(rules: Sequence[RuleRead], departments: Mapping[UUID, str]) -> Table:
    """All rules."""
    return Table(
        "rules",
        "Rules",
        ("Rule", "Events", "Minimum severity", "Channel", "Recipients", "Department"),
        tuple(
            Row(
                (
                    Cell(one.name, f"{HOME}/rules/{one.id}", tags=enabled_tags(is_enabled=one.enabled)),
                    Cell(events_of(one)),
                    Cell(tags=(Tag(one.minimum_severity, TONES[one.minimum_severity]),)),
                    Cell(one.channel, f"{HOME}/channels/{one.channel_id}"),
                    Cell(recipients_of(one), is_soft=True),
                    Cell(department_name(one.department_id, departments), is_soft=True),
                )
            )
            for one in rules
        ),
        empty="No rules yet. A rule says which events go to which channel.",
    )


def events_of(rule: RuleRead) -> str:
    """A rule's events."""
    return "All events" if "*" in rule.events else ", ".join(rule.events)


def recipients_of(rule: RuleRead) -> str:
    """To whom a rule's mails go, in short."""
    parts = list(rule.addresses[:2])
    counted = (
        (len(rule.addresses) - 2, "more address", "more addresses"),
        (len(rule.user_ids), "user", "users"),
        (len(rule.group_ids), "group", "groups"),
    )
    parts += [f"{number} {one if number == 1 else more}" for number, one, more in counted if number > 0]
    return ", ".join(parts)


def event_options(events: Iterable[EventTypeRead], present: Sequence[str] = ()) -> list[Option]:
    """Events to choose from, and what was chosen in another way."""
    known = [Option("*", "All events"), *(Option(one.name, one.title, hint=one.name) for one in events)]
    return known + [Option(one, one) for one in present if one not in {option.value for option in known}]


def delivery_list(*, may_write: bool) -> ListPage[DeliveryRead]:
    """The delivery log."""

    def actions(one: DeliveryRead) -> tuple[RowAction, ...]:
        if not may_write or one.state not in DELIVERIES.final:
            return ()
        question = f"Send “{one.title}” to {one.recipient or one.channel} again?"
        return (RowAction("Replay", f"{HOME}/deliveries/{one.id}/replay", question, is_danger=False),)

    return ListPage(
        path=HOME,
        title="Notifications",
        noun=("delivery", "deliveries"),
        listing=deliveries.LISTING,
        search="Title or recipient",
        heading="Delivery log",
        text="What was sent, to whom, and whether it arrived.",
        quick=(status_filter(DeliveryState, "state"),),
        columns=(
            Column("event", "Event", lambda one: Cell(one.title, detail=one.event), sort="event"),
            Column("channel", "Channel", lambda one: Cell(one.channel, f"{HOME}/channels/{one.channel_id}")),
            Column("recipient", "Recipient", lambda one: Cell(one.recipient), sort="recipient"),
            Column("state", "Status", _state, sort="state"),
            Column("attempts", "Attempts", lambda one: Cell(str(one.attempts))),
            Column("next_attempt_at", "Next attempt", _next_attempt),
            Column(
                "created_at",
                "Created",
                lambda one: Cell(at=one.created_at, kind="time"),
                sort="created_at",
                falls_first=True,
            ),
        ),
        actions=actions,
        empty=Empty("No deliveries yet", "Notifications sent through channels are listed here."),
        titles={"channel_id": "Channel ID", "event_id": "Event ID", "severity": "Severity"},
        refresh_seconds=5,
    )


def _next_attempt(one: DeliveryRead) -> Cell:
    return Cell(at=one.next_attempt_at, kind="time") if one.next_attempt_at else Cell()


def _state(one: DeliveryRead) -> Cell:
    answered = f"Answered {one.response_status}" if one.response_status else ""
    return Cell(tags=(Tag(one.state, DELIVERIES.tones[one.state]),), detail=one.last_error or answered)
