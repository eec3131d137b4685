"""The pages that have an address of their own: the navigation and the command palette are both made of them."""

from dataclasses import dataclass
from importlib.metadata import version

from fleetkeeper.console.contexts.shell import ACCOUNT, NavigationItem, Shell
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


@dataclass(frozen=True)
class Place:
    """A page. Without a permission it is anybody's who is signed in; with `parent` it stands below that page."""

    href: str
    title: str
    icon: str
    permission: Permission | None
    # The heading that it stands under; none for the first level.
    group: str = ""
    # Goes there after `g`; the pages below another have none.
    key: str = ""
    parent: str = ""
    # Other words by which the palette finds it.
    words: str = ""


# In the order of the navigation; what stands below a page follows it.
PLACES = (
    Place("/", "Overview", "layout-dashboard", Permission.DEVICES_READ, key="o", words="home start"),
    Place(
        "/devices", "Devices", "devices", Permission.DEVICES_READ, key="d", words="hosts machines inventory"
    ),
    Place(
        "/explore",
        "Explore",
        "chart-line",
        Permission.TELEMETRY_READ,
        "Telemetry",
        "x",
        words="metrics promql query",
    ),
    Place(
        "/dashboards",
        "Dashboards",
        "layout-board",
        Permission.TELEMETRY_READ,
        "Telemetry",
        "b",
        words="panels",
    ),
    Place(
        "/agents",
        "Agents",
        "plug-connected",
        Permission.DEVICES_READ,
        "Sources",
        "a",
        words="enrollment install",
    ),
    Place(
        "/senders",
        "Integrations",
        "network",
        Permission.CONFIG_READ,
        "Sources",
        "n",
        words="senders prometheus telegraf influx opentelemetry otlp collectd remote write",
    ),
    Place(
        "/senders/refused",
        "Refused samples",
        "alert-circle",
        Permission.DEVICES_READ,
        "Sources",
        parent="/senders",
        words="rejected dropped lost errors reasons",
    ),
    Place("/users", "Users", "users", Permission.USERS_READ, "Access", "u", words="accounts people"),
    Place("/groups", "Groups", "users-group", Permission.GROUPS_READ, "Access", "w", words="teams"),
    Place("/roles", "Roles", "shield-lock", Permission.ROLES_READ, "Access", "r", words="permissions"),
    Place(
        "/departments",
        "Departments",
        "hierarchy-2",
        Permission.DEPARTMENTS_READ,
        "Access",
        "p",
        words="tenants",
    ),
    Place(
        "/settings/providers",
        "Identity providers",
        "id-badge-2",
        Permission.PROVIDERS_READ,
        "Access",
        "i",
        words="oidc sso single sign-on entra okta keycloak google",
    ),
    Place("/tokens", "Tokens", "key", Permission.TOKENS_READ, "Access", "t", words="api keys"),
    Place(
        "/sessions", "Sessions", "device-desktop", Permission.SESSIONS_WRITE, "Access", "e", words="sign-ins"
    ),
    Place(
        "/settings", "Settings", "settings", Permission.CONFIG_READ, "System", "s", words="sampling features"
    ),
    Place(
        "/settings/retention",
        "Retention",
        "clock-stop",
        Permission.CONFIG_READ,
        "System",
        "m",
        words="policies keep",
    ),
    Place(
        "/settings/retention/preview",
        "Retention preview",
        "eye",
        Permission.CONFIG_READ,
        "System",
        parent="/settings/retention",
        words="dry run",
    ),
    Place(
        "/settings/retention/files",
        "Archive files",
        "archive",
        Permission.CONFIG_READ,
        "System",
        parent="/settings/retention",
        words="parquet",
    ),
    Place(
        "/settings/retention/deletions",
        "Deletions",
        "trash",
        Permission.DEVICES_DELETE,
        "System",
        parent="/settings/retention",
        words="delete telemetry",
    ),
    Place(
        "/telemetry/space",
        "Storage",
        "database",
        Permission.CONFIG_READ,
        "System",
        "v",
        words="space disk ingest",
    ),
    Place(
        "/jobs",
        "Jobs",
        "refresh",
        Permission.OPERATIONS_READ,
        "System",
        "j",
        words="runs worker queue schedule",
    ),
    Place("/audit", "Audit log", "history", Permission.AUDIT_READ, "System", "l", words="changes seals"),
    Place("/account", "My account", "user", None, ACCOUNT, "c", words="profile time zone theme own tokens"),
    Place(
        "/account/security",
        "Sign-in and security",
        "shield-lock",
        None,
        ACCOUNT,
        parent="/account",
        words="password passkey second factor recovery codes",
    ),
)


def shell_for(actor: Actor, current: str) -> Shell:
    """The frame for a page under the entry with address `current`."""
    open_to = [place for place in PLACES if place.permission is None or actor.may(place.permission)]
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


def place_of(path: str) -> str:
    """The address of the entry that an address stands under; nothing if it is under none."""
    found = [place.href for place in PLACES if place.href != "/" and f"{path}/".startswith(f"{place.href}/")]
    return max(found, key=len, default="")
