"""Where a rule that was imported is written, on its page. Pure."""

from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.console.contexts.panels import Cell, Note


def file_facts(rule: AlertRuleRead) -> list[tuple[str, Cell]]:
    """The file and its group."""
    file, group = _place(rule)
    return [("File", Cell(file)), ("Group", Cell(group))]


def file_notes(rule: AlertRuleRead) -> list[Note]:
    """What people have to know before they change it here."""
    file, _ = _place(rule)
    if not file:
        return []
    return [
        Note(
            f"This rule comes from the rule file {file}. Change it there: the next import of the file replaces what is "
            "changed here, but leaves a disabled rule disabled."
        )
    ]


def _place(rule: AlertRuleRead) -> tuple[str, str]:
    if rule.origin != "file":
        return "", ""
    file, _, rest = (rule.origin_key or "").partition("/")
    return file, rest.rpartition("/")[0]
