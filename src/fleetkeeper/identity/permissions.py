"""Every permission, alphabetically, as `resource:action`; where each holds; and which built-in role has which."""

from enum import StrEnum


class Permission(StrEnum):
    """What a route may demand."""

    AUDIT_EXPORT = "audit:export"
    AUDIT_READ = "audit:read"
    AUDIT_SEAL = "audit:seal"
    CONFIG_READ = "config:read"
    CONFIG_WRITE = "config:write"
    DASHBOARDS_SHARE = "dashboards:share"
    DASHBOARDS_WRITE = "dashboards:write"
    DEPARTMENTS_READ = "departments:read"
    DEPARTMENTS_WRITE = "departments:write"
    DEVICES_CREATE = "devices:create"
    DEVICES_DELETE = "devices:delete"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    ENROLLMENT_READ = "enrollment:read"
    ENROLLMENT_WRITE = "enrollment:write"
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    MEMBERSHIPS_WRITE = "memberships:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    OPERATIONS_READ = "operations:read"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    SCIM_WRITE = "scim:write"
    SESSIONS_WRITE = "sessions:write"
    TELEMETRY_READ = "telemetry:read"
    TELEMETRY_WRITE = "telemetry:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


# These hold in departments. All others concern the whole installation: a role in a department does not give them.
SCOPED = frozenset(
    {
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.DASHBOARDS_WRITE,
        Permission.DEPARTMENTS_READ,
        Permission.DEPARTMENTS_WRITE,
        Permission.DEVICES_CREATE,
        Permission.DEVICES_DELETE,
        Permission.DEVICES_READ,
        Permission.DEVICES_WRITE,
        Permission.ENROLLMENT_READ,
        Permission.ENROLLMENT_WRITE,
        Permission.MEMBERSHIPS_WRITE,
        Permission.NOTIFICATIONS_READ,
        Permission.NOTIFICATIONS_WRITE,
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


_VIEWER = frozenset({Permission.DEPARTMENTS_READ, Permission.DEVICES_READ, Permission.TELEMETRY_READ})
_OPERATOR = _VIEWER | {
    Permission.DASHBOARDS_WRITE,
    Permission.DEVICES_CREATE,
    Permission.DEVICES_WRITE,
    Permission.ENROLLMENT_READ,
    Permission.ENROLLMENT_WRITE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.ANALYST: _VIEWER | {Permission.AUDIT_READ, Permission.DASHBOARDS_WRITE},
    Role.DATA_COLLECTOR: frozenset({Permission.DEVICES_READ, Permission.TELEMETRY_WRITE}),
    Role.MANAGER: _OPERATOR
    | {
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.DASHBOARDS_SHARE,
        Permission.DEPARTMENTS_WRITE,
        Permission.DEVICES_DELETE,
        Permission.GROUPS_READ,
        Permission.MEMBERSHIPS_WRITE,
        Permission.NOTIFICATIONS_READ,
        Permission.NOTIFICATIONS_WRITE,
        Permission.ROLES_READ,
        Permission.USERS_READ,
    },
    Role.OPERATOR: _OPERATOR,
    Role.VIEWER: _VIEWER,
}

ROLE_DESCRIPTIONS: dict[Role, str] = {
    Role.ADMIN: "May do everything.",
    Role.ANALYST: "Reads devices, measurements and the audit log.",
    Role.DATA_COLLECTOR: "Writes measurements; for tokens of collectors.",
    Role.MANAGER: "Runs a department: its devices, its people and what was done there.",
    Role.OPERATOR: "Works on devices and enrols new ones, as a technician does.",
    Role.VIEWER: "Looks at devices and measurements.",
}
