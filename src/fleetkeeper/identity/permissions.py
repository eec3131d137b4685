"""Every permission, alphabetically, as `resource:action`; where each holds; and which built-in role has which."""

from enum import StrEnum


class Permission(StrEnum):
    """What a route may demand."""

    ALERTS_READ = "alerts:read"
    ALERTS_RESPOND = "alerts:respond"
    ALERTS_WRITE = "alerts:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_WRITE = "approvals:write"
    AUDIT_EXPORT = "audit:export"
    AUDIT_READ = "audit:read"
    AUDIT_SEAL = "audit:seal"
    CONFIG_READ = "config:read"
    CONFIG_WRITE = "config:write"
    DASHBOARDS_SHARE = "dashboards:share"
    DASHBOARDS_WRITE = "dashboards:write"
    DECISIONS_WRITE = "decisions:write"
    DEPARTMENTS_READ = "departments:read"
    DEPARTMENTS_WRITE = "departments:write"
    DEVICES_CREATE = "devices:create"
    DEVICES_DELETE = "devices:delete"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    ENROLLMENT_READ = "enrollment:read"
    ENROLLMENT_WRITE = "enrollment:write"
    FIELDS_READ = "fields:read"
    FIELDS_REVEAL = "fields:reveal"
    FIELDS_WRITE = "fields:write"
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    MEMBERSHIPS_WRITE = "memberships:write"
    NOTES_WRITE = "notes:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    OPERATIONS_READ = "operations:read"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    PARTS_WRITE = "parts:write"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    SCIM_WRITE = "scim:write"
    SESSIONS_WRITE = "sessions:write"
    STOCK_READ = "stock:read"
    STOCK_WRITE = "stock:write"
    TAGS_READ = "tags:read"
    TAGS_WRITE = "tags:write"
    TELEMETRY_READ = "telemetry:read"
    TELEMETRY_WRITE = "telemetry:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    VIEWS_SHARE = "views:share"


PERMISSION_DESCRIPTIONS: dict[Permission, str] = {
    Permission.ALERTS_READ: "View alerts, their rules and silences",
    Permission.ALERTS_RESPOND: "Acknowledge, resolve and silence alerts",
    Permission.ALERTS_WRITE: "Change alert rules, receivers and routes",
    Permission.APPROVALS_READ: "View approval requests and rules",
    Permission.APPROVALS_WRITE: "Change approval rules",
    Permission.AUDIT_EXPORT: "Download the audit log",
    Permission.AUDIT_READ: "View the audit log and the history of objects",
    Permission.AUDIT_SEAL: "Seal and check the audit log",
    Permission.CONFIG_READ: "View settings, retention, storage and integrations",
    Permission.CONFIG_WRITE: "Change settings, retention and integrations; run jobs",
    Permission.DASHBOARDS_SHARE: "Share dashboards with others",
    Permission.DASHBOARDS_WRITE: "Create and edit dashboards",
    Permission.DECISIONS_WRITE: "Record decisions of agents about device requests",
    Permission.DEPARTMENTS_READ: "View departments",
    Permission.DEPARTMENTS_WRITE: "Create, edit and delete departments",
    Permission.DEVICES_CREATE: "Add devices",
    Permission.DEVICES_DELETE: "Delete devices and their telemetry",
    Permission.DEVICES_READ: "View devices",
    Permission.DEVICES_WRITE: "Edit devices",
    Permission.ENROLLMENT_READ: "View enrollment tokens",
    Permission.ENROLLMENT_WRITE: "Create enrollment tokens; revoke agents",
    Permission.FIELDS_READ: "View custom fields and their values",
    Permission.FIELDS_REVEAL: "Reveal sensitive values of custom fields",
    Permission.FIELDS_WRITE: "Create, edit and delete custom fields",
    Permission.GROUPS_READ: "View groups and their members",
    Permission.GROUPS_WRITE: "Create, edit and delete groups",
    Permission.MEMBERSHIPS_WRITE: "Assign and remove roles",
    Permission.NOTES_WRITE: "Edit and delete notes of others",
    Permission.NOTIFICATIONS_READ: "View notification channels, rules and deliveries",
    Permission.NOTIFICATIONS_WRITE: "Change notification channels and rules",
    Permission.OPERATIONS_READ: "View jobs, health and metrics of Fleetkeeper itself",
    Permission.ORDERS_READ: "View orders and work orders",
    Permission.ORDERS_WRITE: "Create, submit and receive orders; plan and do work",
    Permission.PARTS_WRITE: "Change parts, suppliers and prices",
    Permission.PROVIDERS_READ: "View identity providers",
    Permission.PROVIDERS_WRITE: "Change identity providers",
    Permission.REQUESTS_READ: "View device requests, responses and decisions of agents",
    Permission.REQUESTS_WRITE: "Submit, handle and answer device requests; judge decisions of agents",
    Permission.ROLES_READ: "View roles",
    Permission.ROLES_WRITE: "Create, edit and delete roles",
    Permission.SCIM_WRITE: "Manage users and groups through SCIM",
    Permission.SESSIONS_WRITE: "View and end sessions of all users",
    Permission.STOCK_READ: "View parts, suppliers, prices and stock",
    Permission.STOCK_WRITE: "Receive, move, count and fit parts",
    Permission.TAGS_READ: "View tags",
    Permission.TAGS_WRITE: "Create, edit and delete tags",
    Permission.TELEMETRY_READ: "View telemetry of devices",
    Permission.TELEMETRY_WRITE: "Send telemetry",
    Permission.TOKENS_READ: "View API tokens of all users",
    Permission.TOKENS_WRITE: "Revoke API tokens of all users",
    Permission.USERS_READ: "View users",
    Permission.USERS_WRITE: "Create, edit and delete users",
    Permission.VIEWS_SHARE: "Share saved views of lists with everyone",
}

# These hold in departments. All others concern the whole installation: a role in a department does not give them.
SCOPED = frozenset(
    {
        Permission.ALERTS_READ,
        Permission.ALERTS_RESPOND,
        Permission.ALERTS_WRITE,
        Permission.APPROVALS_READ,
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.DASHBOARDS_WRITE,
        Permission.DECISIONS_WRITE,
        Permission.DEPARTMENTS_READ,
        Permission.DEPARTMENTS_WRITE,
        Permission.DEVICES_CREATE,
        Permission.DEVICES_DELETE,
        Permission.DEVICES_READ,
        Permission.DEVICES_WRITE,
        Permission.ENROLLMENT_READ,
        Permission.ENROLLMENT_WRITE,
        Permission.FIELDS_READ,
        Permission.FIELDS_REVEAL,
        Permission.FIELDS_WRITE,
        Permission.MEMBERSHIPS_WRITE,
        Permission.NOTIFICATIONS_READ,
        Permission.NOTIFICATIONS_WRITE,
        Permission.ORDERS_READ,
        Permission.ORDERS_WRITE,
        Permission.PARTS_WRITE,
        Permission.REQUESTS_READ,
        Permission.REQUESTS_WRITE,
        Permission.STOCK_READ,
        Permission.STOCK_WRITE,
        # Tags are the same everywhere, and somebody of one department may use them there.
        Permission.TAGS_READ,
        Permission.TELEMETRY_READ,
        Permission.TELEMETRY_WRITE,
        Permission.USERS_READ,
    }
)


class Role(StrEnum):
    """The built-in roles."""

    ADMIN = "admin"
    ANALYST = "analyst"
    DATA_COLLECTOR = "data_collector"
    MANAGER = "manager"
    OPERATOR = "operator"
    VIEWER = "viewer"


_VIEWER = frozenset(
    {
        Permission.ALERTS_READ,
        Permission.DEPARTMENTS_READ,
        Permission.DEVICES_READ,
        Permission.FIELDS_READ,
        Permission.ORDERS_READ,
        Permission.REQUESTS_READ,
        Permission.STOCK_READ,
        Permission.TAGS_READ,
        Permission.TELEMETRY_READ,
    }
)
_OPERATOR = _VIEWER | {
    Permission.ALERTS_RESPOND,
    Permission.DASHBOARDS_WRITE,
    Permission.DEVICES_CREATE,
    Permission.DEVICES_WRITE,
    Permission.ENROLLMENT_READ,
    Permission.ENROLLMENT_WRITE,
    Permission.ORDERS_WRITE,
    Permission.REQUESTS_WRITE,
    Permission.STOCK_WRITE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.ANALYST: _VIEWER | {Permission.AUDIT_READ, Permission.DASHBOARDS_WRITE},
    Role.DATA_COLLECTOR: frozenset({Permission.DEVICES_READ, Permission.TELEMETRY_WRITE}),
    Role.MANAGER: _OPERATOR
    | {
        Permission.ALERTS_WRITE,
        Permission.APPROVALS_READ,
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.DASHBOARDS_SHARE,
        Permission.DEPARTMENTS_WRITE,
        Permission.DEVICES_DELETE,
        Permission.FIELDS_REVEAL,
        Permission.FIELDS_WRITE,
        Permission.GROUPS_READ,
        Permission.MEMBERSHIPS_WRITE,
        Permission.NOTES_WRITE,
        Permission.NOTIFICATIONS_READ,
        Permission.NOTIFICATIONS_WRITE,
        Permission.PARTS_WRITE,
        Permission.ROLES_READ,
        Permission.TAGS_WRITE,
        Permission.USERS_READ,
        Permission.VIEWS_SHARE,
    },
    Role.OPERATOR: _OPERATOR,
    Role.VIEWER: _VIEWER,
}
