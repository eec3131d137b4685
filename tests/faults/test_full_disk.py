"""A full disk: what was acknowledged is there, senders are told to come back, and space alone makes all well again."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.test_ingest_survives import assert_all_stored, sending, wait_for_frames
from tests.fixtures.product import Product, wait_for

# The cluster of a new installation takes about 70 MB; its log keeps 256 MB, and more while senders are busy.
DISK_MEGABYTES = 800


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which fills up without harm to others."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0755", "tmpfs"]
    mounted = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no space at all."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    product = Product(small_disk / "home")
    product.start()
    try:
        with sending(product) as senders:
            wait_for_frames(senders)
            before = sum(sender.requests_sent_again for sender in senders)
            filler = fill(small_disk)

            def is_felt() -> bool:
                return sum(sender.requests_sent_again for sender in senders) > before + 5

            wait_for("senders to be told to come back", is_felt, 90)
            filler.unlink()
            wait_for("readiness", product.is_ready, 90)
            # The database may have to recover first, and senders were told to wait.
            wait_for_frames(senders, 180)
        assert_all_stored(product, senders)
    finally:
        product.stop()
