"""The main navigation, and the frame of each page."""

from importlib.metadata import version

from fleetkeeper.console.contexts.shell import NavigationItem, Shell
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# Address, title, icon, key, and the permission without which the entry is left out.
ENTRIES = (
    ("/", "Overview", "layout-dashboard", "o", Permission.DEVICES_READ),
    ("/devices", "Devices", "devices", "d", Permission.DEVICES_READ),
    ("/agents", "Agents", "plug-connected", "a", Permission.DEVICES_READ),
    ("/settings", "Settings", "settings", "s", Permission.CONFIG_READ),
)


def shell_for(actor: Actor, current: str) -> Shell:
    """The frame for a page under the entry with address `current`."""
    return Shell(
        user_name=actor.name,
        role=", ".join(actor.roles) or "none",
        csrf_token=actor.csrf_token or "",
        navigation=tuple(
            NavigationItem(
                href=href,
                title=title,
                icon=icon,
                key=key,
                is_current=href == current,
            )
            for href, title, icon, key, permission in ENTRIES
            if actor.may(permission)
        ),
        version=version("fleetkeeper"),
        theme=actor.theme,
        time_zone=actor.time_zone or "",
    )
