"""`fleetkeeper telemetry export` on a running product."""

import psycopg
import pyarrow.parquet as pq

from tests.cli.test_administration import read, refused
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout

AT = 1_700_000_000_000_000
SPAN = ("--from", "1700000000", "--to", "1700000100")


def test_a_file_with_every_sample(product, tmp_path):
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        device = make_device(connection)
        layout = make_layout(connection, device, make_channels(connection, "exported"))
        add_frames(connection, device, layout, {AT + n: [float(n)] for n in range(10)})
    file = tmp_path / "all.parquet"
    told = read(product, "telemetry", "export", str(file), *SPAN, "--metric", "exported")
    assert (told["devices"], told["series"], told["bytes"]) == (1, 1, file.stat().st_size)
    table = pq.read_table(file)
    assert table["value"].to_pylist() == [float(n) for n in range(10)]
    assert set(table["device_id"].to_pylist()) == {str(device)}
    assert [one.name for one in tmp_path.iterdir()] == ["all.parquet"]


def test_what_is_wrong_is_named(product, tmp_path):
    assert "Must end in .csv, .parquet, .arrow" in refused(
        product, "telemetry", "export", str(tmp_path / "x.txt"), *SPAN
    )
    assert "There is no folder" in refused(
        product, "telemetry", "export", str(tmp_path / "no" / "x.csv"), *SPAN
    )
    assert "--from" in refused(
        product, "telemetry", "export", str(tmp_path / "x.csv"), "--from", "soon", "--to", "5"
    )
    assert "such as 2026-" in refused(product, "telemetry", "export", str(tmp_path / "x.csv"))
    assert list(tmp_path.iterdir()) == []
