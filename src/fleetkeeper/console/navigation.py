"""Pages declare where they stand; the navigation and the command palette are both made of that."""

from dataclasses import dataclass
from importlib.metadata import version

from fleetkeeper.console.contexts.shell import ACCOUNT, NavigationItem, Shell
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# The headings in their order; the first level has none.
GROUPS = ("", "Supply", "Telemetry", "Sources", "Access", "System", ACCOUNT)


@dataclass(frozen=True)
class Place:
    """A page. Without a permission it is anybody's who is signed in; with `parent` it stands below that page."""

    href: str
    title: str
    icon: str
    permission: Permission | None
    # The heading that it stands under; none for the first level.
    group: str = ""
    # Among those under the same heading.
    order: int = 0
    # Goes there after `g`; the pages below another have none.
    key: str = ""
    parent: str = ""
    # Other words by which the palette finds it.
    words: str = ""


_PLACES: dict[str, Place] = {}


def declare(place: Place) -> None:
    """Give a page its place. Raises ValueError for an address that has one."""
    if place.href in _PLACES:
        raise ValueError(f"two pages are declared at {place.href}")
    _PLACES[place.href] = place


def places() -> tuple[Place, ...]:
    """All pages in the order of the navigation; what stands below a page follows it."""
    return tuple(sorted(_PLACES.values(), key=lambda one: (GROUPS.index(one.group), one.order)))


def shell_for(actor: Actor, current: str) -> Shell:
    """The frame for a page under the entry with address `current`."""
    open_to = [place for place in places() if place.permission is None or actor.may(place.permission)]
    known = {place.href for place in open_to}
    return Shell(
        user_name=actor.name,
        role=", ".join(actor.roles) or "none",
        csrf_token=actor.csrf_token or "",
        navigation=tuple(
            NavigationItem(
                href=place.href,
                title=place.title,
                icon=place.icon,
                key=place.key,
                is_current=place.href == current,
                group=place.group,
                # Who may not open the page above has this one in its place.
                parent=place.parent if place.parent in known else "",
                words=place.words,
            )
            for place in open_to
        ),
        version=version("fleetkeeper"),
        theme=actor.theme,
        time_zone=actor.time_zone or "",
    )


def title_at(href: str) -> str:
    """What the page at an address is called; nothing where none is declared."""
    return _PLACES[href].title if href in _PLACES else ""


def place_of(path: str) -> str:
    """The address of the entry that an address stands under; nothing if it is under none."""
    found = [
        place.href
        for place in _PLACES.values()
        if place.href != "/" and f"{path}/".startswith(f"{place.href}/")
    ]
    return max(found, key=len, default="")
