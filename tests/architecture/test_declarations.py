"""What rooms declare beside their models is true: what has words exists, and so do the pages that names lead to."""

import psycopg
from fastapi.routing import iter_route_contexts

from fleetkeeper.all_models import Base
from fleetkeeper.audit.words import pages
from fleetkeeper.console.router import console_router
from fleetkeeper.database.constraints import declared

# Raised by a trigger, which names what would be a constraint.
RAISED = {"ck_departments_cycle"}


def test_constraints_with_words_exist(database_url):
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'"
        ).fetchall()
    assert declared() - RAISED <= {name for (name,) in rows}


def test_objects_with_pages_exist_and_so_do_the_pages():
    assert pages().keys() <= Base.metadata.tables.keys()
    routes = {str(route.path) for route in iter_route_contexts(console_router().routes)}
    shown = {path.rpartition("/{")[0] for path in routes if path.endswith("}")}
    assert {page.removesuffix("/{}") for page in pages().values()} <= shown
