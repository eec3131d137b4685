"""The roles that own nothing: whether this server's are as the product needs them, and what makes them so."""

from dataclasses import dataclass

import psycopg

from fleetkeeper.errors import StartupError

APPLICATION_ROLE = "fleetkeeper_app"
FLEET_ROLE = "fleetkeeper_whole_fleet"
AUDIT_KEEPER_ROLE = "fleetkeeper_audit_keeper"
READER_ROLES = ("analyst", "dashboard_readonly", "data_collector")
ALL_ROLES = (APPLICATION_ROLE, FLEET_ROLE, AUDIT_KEEPER_ROLE, *READER_ROLES)
# From version 16 on, whoever makes a role administers it; another owner has to be let in.
ADMINISTER = "WITH ADMIN OPTION, INHERIT FALSE, SET FALSE"


@dataclass(frozen=True)
class Owner:
    """The login that migrates, and whether it may make roles."""

    name: str
    is_superuser: bool
    makes_roles: bool


def owner_of(connection: psycopg.Connection) -> Owner:
    """Whose connection this is."""
    row = connection.execute(
        "SELECT quote_ident(rolname), rolsuper, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert row is not None
    return Owner(*row)


def administers(connection: psycopg.Connection, role: str) -> bool:
    """Whether the connection's login may give the role to others and change it."""
    row = connection.execute(
        "SELECT pg_has_role(current_user, %s, 'MEMBER WITH ADMIN OPTION')", (role,)
    ).fetchone()
    return bool(row and row[0])


def check_roles(connection: psycopg.Connection) -> None:
    """Raise StartupError, with what a superuser must run, where the roles are wrong or cannot be made.

    Roles belong to the whole server, so another database of it may have made them, as another owner.
    """
    owner = owner_of(connection)
    rows = connection.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = ANY(%s)",
        (list(ALL_ROLES),),
    ).fetchall()
    present = {name for name, _ in rows}
    mighty = sorted(name for name, is_mighty in rows if is_mighty)
    if mighty:
        raise must_run(
            f"The role {mighty[0]} of this PostgreSQL may do more than row security allows for.",
            *(f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS NOCREATEROLE" for name in mighty),
        )
    if present < set(ALL_ROLES) and not owner.makes_roles:
        raise must_run(
            f"The login {owner.name} owns the database but cannot make the roles that the product works with.",
            f"ALTER ROLE {owner.name} CREATEROLE",
        )
    if AUDIT_KEEPER_ROLE in present:
        _check_keeper_stands_apart(connection)
    if not {APPLICATION_ROLE, FLEET_ROLE} <= present:
        return
    row = connection.execute(
        "SELECT pg_has_role(%(app)s, %(fleet)s, 'SET'), pg_has_role(%(app)s, %(fleet)s, 'USAGE')",
        {"app": APPLICATION_ROLE, "fleet": FLEET_ROLE},
    ).fetchone()
    assert row is not None
    may_become, has_already = row
    grant = f"GRANT {FLEET_ROLE} TO {APPLICATION_ROLE} WITH INHERIT FALSE, SET TRUE"
    if has_already:
        raise must_run(
            f"The role {APPLICATION_ROLE} sees the whole fleet at all times.",
            f"REVOKE {FLEET_ROLE} FROM {APPLICATION_ROLE}",
            grant,
        )
    if not may_become and not owner.is_superuser and not administers(connection, FLEET_ROLE):
        raise must_run(f"The login {owner.name} did not make the role {FLEET_ROLE}.", grant)


def _check_keeper_stands_apart(connection: psycopg.Connection) -> None:
    """Raise StartupError where those who are held by the audit log could keep it, too."""
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(oid, %s, 'MEMBER') ORDER BY rolname",
        ([name for name in ALL_ROLES if name != AUDIT_KEEPER_ROLE], AUDIT_KEEPER_ROLE),
    ).fetchall()
    if rows:
        raise must_run(
            f"The role {rows[0][0]} may keep the audit log, which {AUDIT_KEEPER_ROLE} alone may.",
            *(f"REVOKE {AUDIT_KEEPER_ROLE} FROM {name}" for (name,) in rows),
        )


def check_may_administer(connection: psycopg.Connection, *roles: str) -> None:
    """Raise StartupError, with what a superuser must run, unless these roles may be given and changed."""
    owner = owner_of(connection)
    if owner.is_superuser:
        return
    statements = [] if owner.makes_roles else [f"ALTER ROLE {owner.name} CREATEROLE"]
    foreign = [role for role in roles if not administers(connection, role)]
    if foreign:
        statements.append(f"GRANT {', '.join(foreign)} TO {owner.name} {ADMINISTER}")
    if statements:
        what = f"did not make {foreign[0]}" if foreign else "cannot make roles"
        raise must_run(f"The login {owner.name} {what}.", *statements)


def check_login(connection: psycopg.Connection, role: str, variable: str) -> None:
    """Raise StartupError for a login that is not held as its role is: `role` is the application's or the keeper's."""
    row = connection.execute(
        "SELECT quote_ident(rolname), rolsuper OR rolbypassrls OR coalesce(pg_has_role(rolname, "
        "(SELECT relowner FROM pg_class WHERE oid = to_regclass('public.devices')), 'MEMBER'), false), "
        "pg_has_role(rolname, to_regrole(%s), 'MEMBER') FROM pg_roles WHERE rolname = current_user",
        (APPLICATION_ROLE if role == AUDIT_KEEPER_ROLE else AUDIT_KEEPER_ROLE,),
    ).fetchone()
    if row is None:
        return
    name, is_mighty, is_other = row
    problem = (
        "owns the tables or bypasses row security" if is_mighty else "has another role of the product, too"
    )
    if is_mighty or is_other:
        raise StartupError(
            f"{variable} logs in as {name}, which {problem}; "
            f"it takes {role}, or a login that is a member of it and of nothing else."
        )


def must_run(problem: str, *statements: str) -> StartupError:
    """The error that says which statements a superuser must run."""
    return StartupError(f"{problem} A superuser must run: {'; '.join(statements)};")
