"""The statements that lists of dashboards are read by."""

from sqlalchemy import inspect

from fleetkeeper.identity.actor import product_actor
from fleetkeeper.telemetry.dashboards import queries
from fleetkeeper.telemetry.dashboards.models import Dashboard
from tests.factories.dashboards import a_definition, a_panel


async def test_a_list_counts_panels_and_leaves_definitions_where_they_are(session):
    definition = a_definition(a_panel(), a_panel())
    definition["rows"] += [{"title": "Empty", "panels": []}, {"title": "Third", "panels": [a_panel()]}]
    session.add(Dashboard(slug="large", name="Large", definition=definition))
    await session.flush()
    session.expunge_all()
    [(dashboard, owner, panels)] = await session.execute(
        queries.summaries_visible_to(product_actor("job", "test"))
    )
    assert (dashboard.slug, owner, panels) == ("large", None, 3)
    assert "definition" in inspect(dashboard).unloaded
