"""The frame that all pages share."""

from dataclasses import dataclass, replace

# The heading of what belongs to the reader; it stands in the menu under their name.
ACCOUNT = "Account"
# How many entries have room beside each other on a phone.
SHOWN_BELOW = 5


@dataclass(frozen=True)
class NavigationItem:
    """One entry of the main navigation; `key` goes there after `g`."""

    href: str
    title: str
    icon: str
    key: str
    is_current: bool
    # The heading that it stands under; none for the first level.
    group: str = ""
    # The address of the page that it stands below.
    parent: str = ""
    # Other words by which the palette finds it.
    words: str = ""


@dataclass(frozen=True)
class TabLink:
    """A tab of a page."""

    href: str
    title: str
    is_current: bool


@dataclass(frozen=True)
class Shell:
    """Who is signed in, where they are, and the token that their forms carry."""

    user_name: str
    role: str
    csrf_token: str
    navigation: tuple[NavigationItem, ...]
    version: str
    theme: str = "auto"
    time_zone: str = ""

    @property
    def sidebar(self) -> tuple[NavigationItem, ...]:
        """The entries at the side: pages below another only where one of them is open; the account has its own menu."""
        current = next((item for item in self.navigation if item.is_current), None)
        opened = {current.href, current.parent} if current else set()
        return tuple(
            item
            for item in self.navigation
            if item.group != ACCOUNT and (not item.parent or item.parent in opened)
        )

    @property
    def shows_alerts(self) -> bool:
        """Whether the reader may see alerts, and so how many fire."""
        return any(item.href == "/alerts" for item in self.navigation)

    @property
    def account(self) -> tuple[NavigationItem, ...]:
        """The entries of the reader's own menu."""
        return tuple(item for item in self.navigation if item.group == ACCOUNT)

    @property
    def first_level(self) -> tuple[NavigationItem, ...]:
        """The navigation where there is little room: of a group its first entry, under the group's name."""
        items: dict[str, NavigationItem] = {}
        for item in self.navigation:
            # What stands below another page is reached from there.
            if item.group == ACCOUNT or (item.parent and not item.group):
                continue
            name = item.group or item.title
            first = items.get(name, replace(item, title=name))
            items[name] = replace(first, is_current=first.is_current or item.is_current)
        return tuple(items.values())

    @property
    def bottom(self) -> tuple[tuple[NavigationItem, ...], tuple[NavigationItem, ...]]:
        """The first level as a phone's bar shows it: what is in sight, and what stands behind *More*."""
        items = self.first_level
        return (
            (items, ()) if len(items) <= SHOWN_BELOW else (items[: SHOWN_BELOW - 1], items[SHOWN_BELOW - 1 :])
        )

    @property
    def siblings(self) -> tuple[NavigationItem, ...]:
        """The entries of the group that the page is in; without a group those beside it below one page."""
        current = next((item for item in self.navigation if item.is_current), None)
        if current is None:
            return ()
        if current.group:
            return tuple(item for item in self.navigation if item.group == current.group)
        top = current.parent or current.href
        family = tuple(item for item in self.navigation if top in (item.href, item.parent))
        return family if len(family) > 1 else ()


@dataclass(frozen=True)
class ErrorPage:
    """An error as a page."""

    status: int
    title: str
    detail: str
    request_id: str | None
    # Of somebody who is signed in; without it the page stands alone.
    shell: Shell | None = None
    # Of somebody who is signed in and may open nothing: all that is left to do is to sign out.
    csrf_token: str = ""


@dataclass(frozen=True)
class ErrorToast:
    """An error as a short message."""

    detail: str
