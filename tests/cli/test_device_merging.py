"""`fleetkeeper device merge`, `undo-merge`, `split` and `reviews`."""

from uuid import uuid4

from tests.cli.test_administration import read, refused, run


def test_devices_are_merged_and_come_apart(product):
    first, second = (f"m-{uuid4().hex[:12]}" for _ in range(2))
    run(product, "device", "create", first, "--model", "A")
    run(product, "device", "create", second, "--model", "B")
    preview = read(product, "device", "merge", first, second, "--preview")
    assert (preview["kept_name"], preview["other_name"]) == (first, second)
    assert second in run(product, "device", "merge", first, second, "--preview").stdout
    assert "--reason" in refused(product, "device", "merge", first, second)
    merged = read(product, "device", "merge", first, second, "--take", "model", "--reason", "one box")
    assert merged["merged_name"] == second
    assert read(product, "device", "show", first)["model"] == "B"
    assert "--merge" in refused(
        product, "device", "undo-merge", first, "--merge", "zz", "--reason", "two boxes"
    )
    assert read(product, "device", "undo-merge", first, "--reason", "two boxes")["undone_at"]
    assert read(product, "device", "show", second)["model"] == "B"
    assert "Must be one source" in refused(product, "device", "split", first, "vcenter", "--reason", "x")
    assert isinstance(read(product, "device", "reviews"), list)
