"""Some hundred texts by chance; `python -m tests.telemetry.promql.fuzz` asks for as long as one likes."""

import os

from tests.telemetry.promql.fuzz import run

TEXTS = int(os.environ.get("FLEETKEEPER_PROMQL_FUZZ", "400"))


async def test_no_text_does_harm():
    tally = await run(seed=7, count=TEXTS, seconds=None, timeout_seconds=3.0)
    assert tally.answered + tally.refused == 2 * TEXTS
    assert min(tally.answered, tally.refused) > TEXTS // 20
