"""`fleetkeeper audit …` on a running product: it lists, seals, and names the row that somebody changed with SQL."""

import csv
import json
from contextlib import closing, contextmanager

import psycopg
import pyarrow.parquet as pq
import pytest

from tests.cli.test_administration import mark, read, refused, run

__all__ = ["mark"]  # a fixture


@contextmanager
def superuser(product):
    """Somebody with SQL, who owns the tables."""
    with closing(psycopg.connect(product.database_url, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def account(product, mark):
    """An account, made and changed by commands."""
    run(product, "user", "create", mark, "--password", "a long enough password")
    run(product, "user", "disable", mark, "--reason", "moved away")
    return mark


class TestReading:
    def test_list(self, product, account):
        listed = read(product, "audit", "list", "--resource", "users", "--q", account)
        assert [one["action"] for one in listed] == ["users.update", "users.insert"]
        assert (listed[0]["actor_kind"], listed[0]["change_reason"]) == ("command", "moved away")
        assert listed[0]["timestamp"] > listed[1]["timestamp"]
        assert read(product, "audit", "list", "--q", account, "--until", listed[1]["timestamp"]) == []
        assert len(read(product, "audit", "list", "--limit", "1")) == 1
        shown = run(product, "audit", "list", "--q", account).stdout
        assert "Actor" in shown

    def test_show(self, product, account):
        (newest,) = read(product, "audit", "list", "--q", account, "--action", "users.update")
        entry = read(product, "audit", "show", str(newest["id"]))
        assert (entry["old_values"], entry["new_values"]) == ({"enabled": True}, {"enabled": False})
        assert "moved away" in run(product, "audit", "show", str(newest["id"])).stdout

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("show", str(2**62)), "no such entry"),
            (("list", "--since", "yesterday"), "timestamp"),
            (("list", "--device", "x"), "no device"),
            (("verify", "--expect", "abc"), "--expect"),
            (("export", "audit.txt"), ".parquet"),
        ],
    )
    def test_bad_input_is_named(self, product, arguments, word):
        assert word in refused(product, "audit", *arguments)

    def test_export(self, product, account, tmp_path):
        for kind in ("csv", "parquet"):
            file = tmp_path / f"audit.{kind}"
            told = read(product, "audit", "export", str(file), "--resource", "users", "--q", account)
            assert told == {"file": str(file), "bytes": file.stat().st_size}
        with (tmp_path / "audit.csv").open() as lines:
            rows = list(csv.DictReader(lines))
        assert [row["action"] for row in rows] == ["users.update", "users.insert"]
        table = pq.read_table(tmp_path / "audit.parquet").to_pylist()
        assert [row["id"] for row in table] == [int(row["id"]) for row in rows]
        (told, _) = read(product, "audit", "list", "--action", "audit.export", "--limit", "2")
        assert told["details"] == {"format": "parquet", "filters": {"q": account, "resource_type": "users"}}

    def test_a_file_that_is_there_is_not_overwritten_by_a_refused_export(self, product, tmp_path):
        file = tmp_path / "audit.csv"
        file.write_text("precious")
        assert "timestamp" in refused(product, "audit", "export", str(file), "--since", "never")
        assert file.read_text() == "precious"


class TestSealsAndChecks:
    def test_one_changed_row_is_named(self, product, account):
        sealed = read(product, "audit", "seal")
        kept = sealed["newest"]["hash"]
        assert len(kept) == 64
        report = read(product, "audit", "verify", "--expect", kept)
        assert (report["sound"], report["findings"]) == (True, [])
        assert "all as they were sealed" in run(product, "audit", "verify").stdout
        (entry,) = read(product, "audit", "list", "--q", account, "--action", "users.insert")
        with superuser(product) as connection:
            connection.execute("UPDATE audit_log SET actor_name = 'nobody' WHERE id = %s", [entry["id"]])
        try:
            outcome = product.command("audit", "verify", "--json")
            assert outcome.returncode == 1
            report = json.loads(outcome.stdout)
            assert report["sound"] is False
            (finding,) = report["findings"]
            assert (finding["kind"], finding["entry"]) == ("entry_changed", entry["id"])
            said = product.command("audit", "verify")
            assert said.returncode == 1
            assert said.stdout.startswith(f"First: Entry {entry['id']} (")
            assert "was changed after seal" in said.stdout
        finally:
            with superuser(product) as connection:
                connection.execute(
                    "UPDATE audit_log SET actor_name = %s WHERE id = %s", [entry["actor_name"], entry["id"]]
                )
        assert read(product, "audit", "verify")["sound"] is True

    def test_a_forged_seal_stops_sealing_and_the_check_says_so(self, product, account):
        read(product, "audit", "seal")
        with superuser(product) as connection:
            (number,) = connection.execute(
                "INSERT INTO audit_seals SELECT number + 1000, now(), to_transaction, to_transaction, 0, '', "
                "merkle_root, seal_hash, seal_hash, signature FROM audit_seals ORDER BY number DESC LIMIT 1 "
                "RETURNING number"
            ).fetchone()
        try:
            assert f"Seal {number} of" in refused(product, "audit", "seal")
            outcome = product.command("audit", "verify", "--json")
            assert outcome.returncode == 1
            assert json.loads(outcome.stdout)["sealing"] == "stopped"
            assert "Sealing has stopped. Seal" in product.command("audit", "verify").stdout
        finally:
            with superuser(product) as connection:
                connection.execute("DELETE FROM audit_seals WHERE number = %s", [number])
        read(product, "audit", "seal")
        report = read(product, "audit", "verify")
        assert (report["sound"], report["sealing"]) == (True, "current")

    def test_a_hash_that_was_never_made(self, product, account):
        outcome = product.command("audit", "verify", "--expect", "ab" * 32, "--json")
        assert outcome.returncode == 1
        assert [one["kind"] for one in json.loads(outcome.stdout)["findings"]] == ["seal_missing"]

    def test_sealing_says_what_it_did(self, product, account):
        said = run(product, "audit", "seal").stdout
        assert said.startswith(("Seal ", "There is nothing new to seal."))
        assert product.command("audit", "seal", "--after-restore").returncode == 0


def test_archive(product):
    assert read(product, "audit", "archive", "--dry-run") == {"due": []}
    assert read(product, "audit", "archive") == {"archived": []}
    assert run(product, "audit", "archive").stdout == "Archived: no month.\n"
