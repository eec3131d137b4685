"""What is exported and imported again changes nothing, whatever devices are called."""

import asyncio
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetkeeper.devices.importing.fields import CORE, NAMES, guessed
from fleetkeeper.devices.importing.files.reading import read_table
from fleetkeeper.devices.importing.known import Known, Paths
from fleetkeeper.devices.importing.planning import Options, plan_known
from fleetkeeper.devices.importing.present import Interface, Present
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.kit.table_files import KINDS, table_file
from fleetkeeper.kit.text import is_storable

KEY = UUID(int=7)
# A cell has at most 5,000 characters, and there is no file without a row that says something.
TEXT = st.text(max_size=60).filter(is_storable)
MARKED = st.builds(lambda mark, rest: mark + rest, st.sampled_from("=+-@'\t\r\n\"_x"), TEXT)
TEXTS = st.fixed_dictionaries(dict.fromkeys(CORE, TEXT | MARKED))


def device(texts: dict[str, str]) -> Present:
    part = {"interface": "eth0", "mac_address": "52:54:00:12:34:56", "ip_address": "192.0.2.1/24"}
    interface = Interface(UUID(int=1), part["mac_address"], {part["ip_address"]: UUID(int=2)})
    told = {**texts, **part, "id": str(KEY), "tags": "core, web"}
    keys = {"department": "", "location_path": ""}
    return Present(KEY, 1, None, False, told, keys, frozenset({"core", "web"}), {"eth0": interface})


async def trip(present: Present, kind: str) -> Options:
    async def pages():
        yield [dict(present.texts)]

    content = b"".join([block async for block in table_file(pages(), NAMES, kind)])
    table = await read_table(content, kind)
    options = Options(table.columns, guessed(table.columns, []), "id", True, True, kind)
    known = Known(Paths("department", {}), Paths("location", {}), {"core": "core", "web": "web"}, {})
    plan = plan_known(product_actor("job", "test"), options.cells(table.rows[0]), present, options, known)
    assert (plan.outcome, plan.changes, plan.problems) == ("unchanged", [], [])
    return options


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.sampled_from(sorted(KINDS)))
def test_a_device_survives_the_trip(texts, kind):
    options = asyncio.run(trip(device(texts), kind))
    assert options.mapping == {name: name for name in NAMES}
