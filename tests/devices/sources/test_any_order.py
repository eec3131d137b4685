"""Stored devices do not depend on the order in which sources tell of machines."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fleetkeeper.devices.sources.observing import Observation, observe
from tests.devices.sources.test_observing import partition

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PIECES = {
    "smbios_uuid": ["4c4c4544-0042-3010-8051-b4c04f4a4e32", "4c4c4544-0043-3110-8052-b5c04f4b4e33"],
    "serial": ["A1B2C3", "D4E5F6"],
    "mac": ["00:1b:21:11:3a:b7", "00:50:56:9a:01:02"],
    "hostname": ["web-01", "web-02"],
    "fqdn": ["web-01.example.com"],
}
TOLD = st.lists(
    st.builds(
        Observation,
        source_system=st.sampled_from(["foreman", "puppet", "vcenter"]),
        source_id=st.sampled_from(["1", "2"]),
        attributes=st.fixed_dictionaries({"manufacturer": st.sampled_from(["", "Dell Inc."])}),
        identities=st.fixed_dictionaries(
            {}, optional={kind: st.sampled_from(values) for kind, values in PIECES.items()}
        ),
    ),
    max_size=5,
    unique_by=lambda one: (one.source_system, one.source_id),
)


async def reached(session, told):
    """The devices, as sets of sources, once all of it was told; nothing of it is kept."""
    point = await session.begin_nested()
    for one in told:
        await observe(session, one, NOW)
    found = await partition(session)
    rows = await session.execute(
        text(
            """
            SELECT (SELECT array_agg(s.source_system || s.source_id ORDER BY s.source_system, s.source_id)
                    FROM device_sources s WHERE s.device_id = r.device_id),
                   (SELECT array_agg(s.source_system || s.source_id ORDER BY s.source_system, s.source_id)
                    FROM device_sources s WHERE s.device_id = r.other_device_id)
            FROM identity_reviews r WHERE r.status = 'open'
            """
        )
    )
    proposed = {frozenset((tuple(one), tuple(other))) for one, other in rows}
    await point.rollback()
    session.expire_all()
    return found, proposed


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(both=TOLD.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
async def test_devices_and_proposals_are_the_same(session, both):
    told, shuffled = both
    assert await reached(session, told) == await reached(session, shuffled)
