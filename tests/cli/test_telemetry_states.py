"""`fleetkeeper telemetry states` on a running product."""

import time

from tests.cli.test_administration import read, run


class TestStates:
    def test_as_they_changed(self, product):
        [(_, key)] = product.enroll("stateful")
        now = round(time.time())
        frames = [
            {"ts": now - 60 + n * 10, "values": {}, "states": {"door": ["open", "shut"][n // 2], "lit": True}}
            for n in range(4)
        ]
        with product.client(key) as device:
            device.post("/api/v1/telemetry", json={"frames": frames}).raise_for_status()
        found = read(product, "telemetry", "states", "stateful")
        told = {one["metric"]: [tuple(pair) for pair in one["changes"]] for one in found["states"]}
        assert told == {"door": [(now - 60, "open"), (now - 40, "shut")], "lit": [(now - 60, True)]}
        text = run(product, "telemetry", "states", "stateful", "--metric", "door").stdout
        assert "shut" in text
        assert "lit" not in text
