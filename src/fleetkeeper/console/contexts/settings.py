"""The settings that administrators change at run time."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.shell import FormField, Shell


@dataclass(frozen=True)
class SettingsForm:
    """One group of settings; `message` says how the last attempt to save it went."""

    key: str
    title: str
    text: str
    fields: tuple[FormField, ...]
    message: str = ""
    is_saved: bool = False


@dataclass(frozen=True)
class SettingsFormFragment:
    """One form by itself, after it was sent."""

    form: SettingsForm
    csrf_token: str
    may_change: bool


@dataclass(frozen=True)
class SettingsPage:
    """All forms."""

    shell: Shell
    forms: tuple[SettingsForm, ...]
    csrf_token: str
    may_change: bool
