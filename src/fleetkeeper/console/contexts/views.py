"""The menu of a list's saved views."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewLink:
    """A saved view; `delete` is where it is deleted, for those who may. One's own need no owner's name."""

    name: str
    href: str
    owner: str
    is_shared: bool
    is_default: bool
    # Where it is made the default, or is no longer; for one's own.
    default: str
    delete: str


@dataclass(frozen=True)
class ViewsMenu:
    """The views of a list, and what would be saved of it now."""

    path: str
    query: str
    views: tuple[ViewLink, ...]
    may_share: bool
    csrf_token: str
