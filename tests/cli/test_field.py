"""`fleetkeeper field …` on the running product."""

import json
from functools import partial

from tests.fixtures.product import Product


def test_a_field_is_made_filled_and_deleted(product: Product):
    ((device, _),) = product.enroll("cli-field-01")
    field = partial(product.command, "field")
    made = field("create", "Rack unit", "--kind", "number", "--order", "5", "--json")
    assert json.loads(made.stdout)["name"] == "rack_unit", made.stderr
    assert field("create", "BIOS code", "--sensitive").returncode == 0
    wrong = field("set", device, "rack_unit=tall")
    assert (wrong.returncode, "rack_unit" in wrong.stderr) == (1, True)
    told = field("set", device, "rack_unit=12", "bios_code=s3cret", "--json")
    assert json.loads(told.stdout)["values"] == {"rack_unit": 12, "bios_code": "********"}, told.stderr
    assert json.loads(field("reveal", device, "bios_code", "--json").stdout)["value"] == "s3cret"
    assert json.loads(field("values", device, "--json").stdout)["values"]["rack_unit"] == 12
    assert json.loads(field("update", "rack_unit", "--label", "Unit", "--json").stdout)["label"] == "Unit"
    assert "rack_unit" in field("list").stdout
    for name in ("rack_unit", "bios_code"):
        assert "and 1 values" in field("delete", name, "--yes").stdout
    assert field("show", "rack_unit").returncode == 1
