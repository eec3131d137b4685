"""What this room's objects, events and constraints are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_event, declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong

declare_object("departments", page="/departments/{}")
declare_object("group_members", "group member")
declare_object("groups", page="/groups/{}")
declare_object("identity_providers", page="/settings/providers/{}")
declare_object("passkeys", "passkey")
declare_object("roles", page="/roles/{}")
declare_object("totp_devices", "authenticator app")
declare_object("user_identities", "linked account")
declare_object("users", page="/users/{}")

declare_event("permission.refused", "Was denied access", is_bad=True, says_all=True)
declare_event("scim.partly_applied", "Partly applied a SCIM request for", is_bad=True)
declare_event("scim.refused", "Had a SCIM request refused", is_bad=True, says_all=True)
declare_object("session", "sign-in")
declare_event("session.ended_by_provider", "Sign-in ended by the provider", says_all=True)
declare_event("session.sign_in", "Signed in", says_all=True)
declare_event("session.sign_in_failed", "Failed to sign in", is_bad=True, says_all=True)
declare_event("session.sign_in_refused", "Was denied sign-in", is_bad=True, says_all=True)
declare_event("user.second_factor_reset", "Reset the second factor of")

declare_taken("uq_users_username", "username", "A user with this name already exists.")
declare_taken("uq_users_username_lower", "username", "A user with this name already exists.")
declare_taken("uq_users_email", "email", "Another user has this email address.")
declare_taken("uq_roles_name", "name", "A role with this name already exists.")
declare_taken("uq_groups_provider_id_name", "name", "A group with this name already exists.")
declare_taken(
    "uq_departments_parent_id_name", "name", "A department with this name already exists in the same place."
)
declare_taken(
    "uq_memberships_user_id_group_id_role_id_department_id", "role", "This role is already assigned there."
)
declare_taken(
    "fk_memberships_role_id_roles",
    "role",
    "The role is assigned. Remove it from users and groups first.",
)
_PARENT = "Must not be the department itself or one below it"
declare_wrong("ck_departments_cycle", "parent_id", _PARENT)
declare_wrong("ck_departments_not_its_own_parent", "parent_id", _PARENT)
declare_wrong("fk_departments_parent_id_departments", "parent_id", "No such department")
declare_wrong("fk_departments_manager_id_users", "manager_id", "No such user")
declare_wrong("fk_memberships_department_id_departments", "department_id", "No such department")

declare_unaudited("known_browsers", "made by each sign-in, which is an event of its own")
declare_unaudited("oidc_flows", "sign-ins under way; how each ends is an event of its own")
declare_unaudited("sign_in_challenges", "sign-ins under way; how each ends is an event of its own")
declare_unaudited("sign_in_failures", "counts failed sign-ins, each of which is an event of its own")
declare_skipped(
    "api_tokens", last_used_at="moves on with each use", last_used_address="moves on with each use"
)
declare_skipped("passkeys", last_used_at="moves on with each use")
declare_skipped(
    "sessions",
    last_used_at="moves on with each use",
    provider_asked_at="moves on every few minutes while a person is there",
    provider_checked_at="moves on every few minutes while a person is there",
)
declare_skipped("user_identities", last_login="moves on with each use")
declare_skipped(
    "users",
    last_login="moves on with each use",
    role="follows from memberships, and grants nothing itself",
    oauth_provider="follows from user_identities, and is for readers with SQL",
    oauth_id="follows from user_identities, and is for readers with SQL",
)
