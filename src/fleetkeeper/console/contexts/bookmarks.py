"""The menu of a person's bookmarks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BookmarkLink:
    """A page that is marked, and where its mark is removed."""

    title: str
    href: str
    delete: str


@dataclass(frozen=True)
class BookmarksMenu:
    """One's bookmarks; `present` is the one of the page that shows the menu, which has that title."""

    title: str
    present: BookmarkLink | None
    links: tuple[BookmarkLink, ...]
    is_open: bool
    message: str
    csrf_token: str
