"""The main navigation, and the frame of each page."""

from importlib.metadata import version

from fleetkeeper.console.contexts.shell import NavigationItem, Shell
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# Address, title, icon, key, and the permission without which the entry is left out.
ENTRIES = (
    ("/", "Overview", "layout-dashboard", "o", Permission.DEVICES_READ),
    ("/devices", "Devices", "devices", "d", Permission.DEVICES_READ),
    ("/explore", "Explore", "chart-line", "x", Permission.TELEMETRY_READ),
    ("/dashboards", "Dashboards", "layout-board", "b", Permission.TELEMETRY_READ),
    ("/agents", "Agents", "plug-connected", "a", Permission.DEVICES_READ),
    ("/senders", "Senders", "network", "n", Permission.CONFIG_READ),
    ("/users", "Users", "users", "u", Permission.USERS_READ),
    ("/groups", "Groups", "users-group", "w", Permission.GROUPS_READ),
    ("/roles", "Roles", "shield-lock", "r", Permission.ROLES_READ),
    ("/departments", "Departments", "hierarchy-2", "p", Permission.DEPARTMENTS_READ),
    ("/tokens", "Tokens", "key", "t", Permission.TOKENS_READ),
    ("/sessions", "Sessions", "device-desktop", "e", Permission.SESSIONS_WRITE),
    ("/settings", "Settings", "settings", "s", Permission.CONFIG_READ),
    ("/telemetry/space", "Space", "database", "v", Permission.CONFIG_READ),
    ("/audit", "Audit log", "history", "l", Permission.AUDIT_READ),
)
# What stands under one heading.
GROUPS = {
    "Telemetry": ("/explore", "/dashboards"),
    "Sources": ("/agents", "/senders"),
    "Access": ("/users", "/groups", "/roles", "/departments", "/tokens", "/sessions"),
    "System": ("/settings", "/telemetry/space", "/audit"),
}
GROUP_OF = {href: group for group, hrefs in GROUPS.items() for href in hrefs}


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
                group=GROUP_OF.get(href, ""),
            )
            for href, title, icon, key, permission in ENTRIES
            if actor.may(permission)
        ),
        version=version("fleetkeeper"),
        theme=actor.theme,
        time_zone=actor.time_zone or "",
    )
