"""The steps of an explanation, from rows that were read. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fleetkeeper.alerts.explaining.schemas import About, Effect, ExplanationStep
from fleetkeeper.alerts.models import AlertEvent, AlertGroup, AlertLog, AlertReceiver
from fleetkeeper.alerts.routing.tree import Route
from fleetkeeper.alerts.status import AlertStatus, EventKind
from fleetkeeper.notifications.preferences.quiet_hours import earliest
from fleetkeeper.notifications.rules.matching import fits_name

TOLD = frozenset({EventKind.TOLD, EventKind.ESCALATED})
EVENT = "alerts.told"


def _step(about: About, effect: Effect, text: str, **more: Any) -> ExplanationStep:
    return ExplanationStep(about=about, effect=effect, text=text, **more)


def of_rule(alert: AlertLog) -> ExplanationStep:
    """Why it fired."""
    value = "" if alert.actual_value is None else f" with the value {alert.actual_value:,.4g}"
    limit = "" if alert.threshold_value is None else f" (threshold {alert.threshold_value:,.4g})"
    if alert.source == "api":
        text = "It was sent by an API client."
    elif alert.pending_since is not None and alert.pending_since < alert.triggered_at:
        waited = _span(alert.triggered_at - alert.pending_since)
        text = f"The condition of {alert.name} was true for {waited}, and it fired{value}{limit}."
    else:
        text = f"The condition of {alert.name} was true, and it fired{value}{limit}."
    href = f"/alerts/rules/{alert.rule_id}" if alert.rule_id else ""
    return _step(About.RULE, Effect.PASSES, text, at=alert.triggered_at, href=href)


def of_state(alert: AlertLog) -> list[ExplanationStep]:
    """What people and its end do to it."""
    if alert.resolved_at is not None:
        text = "It is resolved. Only those who were notified that it fires are notified of that."
        return [_step(About.STATE, Effect.NEUTRAL, text, at=alert.resolved_at)]
    if alert.status == AlertStatus.ACKNOWLEDGED:
        text = "It is acknowledged: notifications do not repeat, and it does not escalate."
        return [_step(About.STATE, Effect.NEUTRAL, text, at=alert.acknowledged_at)]
    if alert.status == AlertStatus.SNOOZED:
        text = "It is snoozed: there are no notifications until then."
        return [_step(About.STATE, Effect.HOLDS, text, at=alert.snoozed_until)]
    return []


def of_suppression(
    alert: AlertLog, names: Mapping[str, str], past: Sequence[AlertEvent]
) -> list[ExplanationStep]:
    """What quiets it now, or did before."""
    told = alert.suppressed_by or {}
    found = []
    for key in told.get("silences", ()):
        name = f"the silence {names[key]}" if key in names else "a silence that you may not see"
        href = f"/alerts/silences/{key}" if key in names else ""
        found.append(_step(About.SUPPRESSION, Effect.HOLDS, f"It is suppressed by {name}.", href=href))
    if "alert" in told:
        text = "It is suppressed by another alert, which says that its device is down."
        found.append(_step(About.SUPPRESSION, Effect.HOLDS, text, href=f"/alerts/{told['alert']}"))
    if found:
        return found
    before = [one for one in past if one.kind in {EventKind.SILENCED, EventKind.UNSILENCED}]
    if before:
        text = "It was suppressed before; its timeline says when and by what."
        return [_step(About.SUPPRESSION, Effect.NEUTRAL, text, at=before[-1].at)]
    if alert.resolved_at is not None:
        return []
    text = "No silence matches it, and no other alert of its device suppresses it."
    return [_step(About.SUPPRESSION, Effect.PASSES, text)]


def of_group(
    route: Route, found: tuple[AlertGroup, int] | None, alert: AlertLog, now: datetime
) -> ExplanationStep:
    """With what it is told, and when."""
    if found is None:
        text = f"{route.name}: it is in no group any more, as its end was handled."
        if alert.resolved_at is None:
            text = f"{route.name}: it is not grouped yet; that takes some seconds."
        return _step(About.GROUP, Effect.NEUTRAL, text)
    group, count = found
    labels = ", ".join(f"{name}={value}" for name, value in sorted(group.labels.items()))
    by = f" by {labels}" if labels else ""
    others = f"grouped{by} with {count - 1} other{'s' if count != 2 else ''}" if count > 1 else f"grouped{by}"
    if group.notified_at is None:
        wait = _span(timedelta(seconds=route.options.group_wait_seconds))
        text = f"{route.name}: {others}. The first notification is due after the group wait of {wait}."
        effect = Effect.HOLDS if group.next_at > now else Effect.PASSES
        return _step(About.GROUP, effect, text, at=group.next_at)
    news = _span(timedelta(seconds=route.options.group_interval_seconds))
    again = _span(timedelta(seconds=route.options.repeat_interval_seconds))
    text = f"{route.name}: {others}. Changes are sent after {news}, a reminder after {again}."
    return _step(About.GROUP, Effect.PASSES, text, at=group.notified_at)


def of_receiver(route: Route, receiver: AlertReceiver | None) -> ExplanationStep:
    """Whom a route tells."""
    if route.options.receiver_id is None:
        text = f"{route.name}: no receiver is set; notification rules for alerts.* apply."
        return _step(About.RECEIVER, Effect.NEUTRAL, text, href="/notifications")
    if receiver is None:
        return _step(About.RECEIVER, Effect.PASSES, f"{route.name}: a receiver that you may not see.")
    counts = (
        (len(receiver.channel_ids), "channel"),
        (len(receiver.user_ids), "user"),
        (len(receiver.group_ids), "group"),
        (len(receiver.addresses), "email address"),
    )
    told = ", ".join(_counted(number, noun) for number, noun in counts if number)
    href = f"/alerts/receivers/{receiver.id}"
    if not told:
        text = f"{route.name}: the receiver {receiver.name} has no recipients."
        return _step(About.RECEIVER, Effect.HOLDS, text, href=href)
    text = f"{route.name}: the receiver {receiver.name} notifies {told}."
    return _step(About.RECEIVER, Effect.PASSES, text, href=href)


def of_notification(event: AlertEvent, deliveries: Sequence[Any] | None) -> ExplanationStep:
    """A notification that was made, and what became of it; None where the reader may not know."""
    told = event.details
    who = told.get("receiver") or "Notification rules, or a receiver that you may not see"
    way = f", by the route {told['route']}" if told.get("route") else ""
    text = f"{who}{way}: {told.get('why', '')}"
    if told.get("recipients") == 0:
        text += " The receiver had no recipients."
    if event.kind == EventKind.ESCALATED:
        text = f"Escalated to {who}: {told.get('why', '')}"
    if deliveries is None:
        return _step(About.NOTIFICATION, Effect.PASSES, text, at=event.at)
    failed = [one for one in deliveries if one.state in {"dead", "retrying"}]
    states = _states(deliveries)
    effect = Effect.HOLDS if failed else Effect.PASSES if deliveries else Effect.NEUTRAL
    if failed:
        last = failed[-1]
        states += f" {last.channel}: {last.last_error}"
    return _step(About.NOTIFICATION, effect, f"{text} {states}".strip(), at=event.at)


def _states(deliveries: Sequence[Any]) -> str:
    if not deliveries:
        return "No channel sent it."
    words = {
        "dead": "failed, without further retries",
        "retrying": "failed and tried again",
        "sending": "being sent",
        "pending": "waiting",
    }
    counts: dict[str, int] = {}
    for one in deliveries:
        told = words.get(one.state, one.state)
        counts[told] = counts.get(told, 0) + 1
    return f"Deliveries: {', '.join(f'{number} {told}' for told, number in counts.items())}."


def of_reader(
    person: Any, receivers: Sequence[AlertReceiver], *, in_inbox: bool, now: datetime
) -> ExplanationStep:
    """Whether the reader is among those who are told, and what holds their mail."""
    named = [
        one
        for one in receivers
        if person.id in one.user_ids
        or not set(one.group_ids).isdisjoint(person.groups)
        or (person.email and person.email in one.addresses)
    ]
    if not named:
        if in_inbox:
            return _step(
                About.YOU, Effect.PASSES, "A notification is in your inbox.", href="/notifications/inbox"
            )
        text = "You are not a recipient of these receivers, neither yourself nor through a group."
        return _step(About.YOU, Effect.NEUTRAL, text)
    who = ", ".join(one.name for one in named)
    text = f"You are a recipient of {who}."
    if not person.email:
        return _step(
            About.YOU, Effect.PASSES, f"{text} Your account has no email address: only your inbox is used."
        )
    if not person.wants_email or fits_name(person.muted_events, EVENT):
        return _step(
            About.YOU, Effect.HOLDS, f"{text} Your preferences mute email about alerts.", href="/account"
        )
    due = earliest(now, person.time_zone, person.quiet_from, person.quiet_until)
    if due > now:
        quiet = "In your quiet hours only critical alerts are mailed."
        return _step(About.YOU, Effect.HOLDS, f"{text} {quiet}", at=due, href="/account")
    return _step(About.YOU, Effect.PASSES, text)


def answer_of(steps: Sequence[ExplanationStep], told: Sequence[AlertEvent], alert: AlertLog) -> str:
    """All that in one sentence."""
    nobody = next((one for one in steps if one.about is About.RECEIVER and one.effect is Effect.HOLDS), None)
    made = [one for one in steps if one.about is About.NOTIFICATION]
    if nobody is not None and all(one.effect is Effect.NEUTRAL for one in made) and told:
        return f"Nobody received the notification. {nobody.text}"
    if made and all(one.effect is Effect.HOLDS for one in made):
        return f"The notification did not arrive. {made[-1].text}"
    if told:
        return _notified(told, made)
    holding = next((one for one in steps if one.effect is Effect.HOLDS and one.about is not About.YOU), None)
    if alert.resolved_at is not None:
        return "Nobody was notified: it was resolved before a notification was due."
    if holding is None:
        return "Nobody has been notified yet."
    return f"Nobody has been notified yet. {holding.text}"


def _notified(told: Sequence[AlertEvent], made: Sequence[ExplanationStep]) -> str:
    """Who was notified: a receiver that had no recipients was not."""
    reached = [one for one in told if one.details.get("recipients") != 0]
    if not reached:
        rules = any(one.effect is Effect.PASSES for one in made)
        return (
            "Notified by notification rules."
            if rules
            else "Nobody was notified: the receiver had no recipients."
        )
    times = "once" if len(reached) == 1 else f"{len(reached)} times"
    who = dict.fromkeys(str(one.details.get("receiver") or "notification rules") for one in reached)
    return f"Notified {times}: {', '.join(who)}."


def _counted(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}es" if noun.endswith("s") else f"{number} {noun}s"


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            rest = seconds % length
            return f"{seconds // length}{unit}" + (f" {_span(timedelta(seconds=rest))}" if rest else "")
    return f"{seconds}s"
