"""The form of an identity provider."""

from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.console.contexts.shell import FormField, Shell


@dataclass(frozen=True)
class CheckResult:
    """What a test of a provider found."""

    works: bool
    detail: str


@dataclass(frozen=True)
class ProviderPage:
    """The form of a new provider, or of one that is there (`provider_id`)."""

    shell: Shell
    csrf_token: str
    title: str
    preset: str
    help: str
    fields: tuple[FormField, ...]
    callback: str
    action: str
    may_change: bool
    provider_id: UUID | None = None
    message: str = ""
    is_good: bool = False
    check: CheckResult | None = None
