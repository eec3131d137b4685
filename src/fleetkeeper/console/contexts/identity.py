"""The pages that ask who you are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProviderButton:
    """A provider that people may sign in through."""

    slug: str
    name: str


@dataclass(frozen=True)
class SignInPage:
    """The sign-in form; `next_path` is where it leads."""

    next_path: str
    username: str = ""
    error: str = ""
    providers: tuple[ProviderButton, ...] = ()
    # False under an address without a name, where browsers know no passkeys.
    offers_passkeys: bool = False


@dataclass(frozen=True)
class SecondFactorPage:
    """What may be shown as the second factor."""

    next_path: str
    takes_code: bool
    takes_passkey: bool
    takes_recovery_code: bool
    error: str = ""
