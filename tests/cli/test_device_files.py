"""`fleetkeeper device import` and `export`."""

from uuid import uuid4

import pytest

from tests.cli.test_administration import read, refused, run


@pytest.fixture
def name() -> str:
    return f"sw-{uuid4().hex[:12]}"


def test_a_file_is_tried_imported_and_undone(product, name, tmp_path):
    file = tmp_path / "devices.csv"
    file.write_text(f"Machine,Serial,Colour\n{name},{name}-s,red\n")
    tried = run(product, "device", "import", str(file), "--map", "Machine=name", "--map", "Colour=").stdout
    assert "create" in tried
    assert f"There is no device '{name}'" in refused(product, "device", "show", name)
    assert "--reason" in refused(product, "device", "import", str(file), "--apply")
    options = ("--map", "Machine=name", "--apply", "--reason", "stocktaking")
    done = read(product, "device", "import", str(file), *options)
    assert (done["status"], done["counts"]) == ("applied", {"create": 1, "created": 1})
    assert read(product, "device", "show", name)["serial_number"] == f"{name}-s"
    assert done["id"] in {one["id"] for one in read(product, "device", "imports")}
    undone = read(product, "device", "undo-import", done["id"], "--reason", "wrong file")
    assert undone["counts"]["deleted"] == 1


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "yaml"])
def test_what_is_exported_changes_nothing(product, name, tmp_path, ending):
    run(product, "device", "create", name, "--serial", "-1", "--model", "'=x")
    file = tmp_path / f"devices.{ending}"
    assert "Exported 1 device to" in run(product, "device", "export", str(file), "--q", name).stdout
    found = read(product, "device", "import", str(file))
    assert found["counts"] == {"unchanged": 1}


def test_wrong_files_are_named(product, tmp_path):
    assert "FILE" in refused(product, "device", "import", str(tmp_path / "none.csv"))
    assert "Must end in" in refused(product, "device", "export", str(tmp_path / "devices.exe"))
    assert "--filter" in refused(product, "device", "export", str(tmp_path / "devices.csv"), "--filter", "x")
