"""The frame that all pages share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NavigationItem:
    """One entry of the main navigation; `key` goes there after `g`."""

    href: str
    title: str
    icon: str
    key: str
    is_current: bool


@dataclass(frozen=True)
class Shell:
    """Who is signed in, where they are, and the token that their forms carry."""

    user_name: str
    role: str
    csrf_token: str
    navigation: tuple[NavigationItem, ...]
    version: str


@dataclass(frozen=True)
class FormField:
    """One field of a form: what was entered, and what is wrong with it. `kind` is an input's type."""

    name: str
    label: str
    value: str
    kind: str = "text"
    hint: str = ""
    error: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: str = "1"


@dataclass(frozen=True)
class ErrorPage:
    """An error as a page."""

    status: int
    title: str
    detail: str
    request_id: str | None


@dataclass(frozen=True)
class ErrorToast:
    """An error as a short message."""

    detail: str
