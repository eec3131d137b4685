"""Names in stores, and SharePoint's hash."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.cloud_files.names import is_store_name, store_name
from fleetkeeper.cloud_files.providers.quick_xor import quick_xor_hash

KEY = UUID("0198c0de-7c00-7a00-8000-000000000000")


@given(st.text(max_size=600), st.sampled_from(["local", "s3", "sharepoint", "google-drive"]))
def test_every_name_is_safe(text, provider):
    name = store_name(KEY, text, provider)
    assert name.startswith(f"{KEY}-")
    assert is_store_name(name)
    assert len(name.encode()) <= 240
    assert not set(name) & set('/\\:*?"<>|#%~&\x00')
    assert not name.endswith((" ", "."))
    assert "_vti_" not in name.lower()
    assert store_name(KEY, text, provider) == name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("a.docx", "a.docx.bin"),
        ("A.XLSM", "A.XLSM.bin"),
        ("a.htm", "a.htm.bin"),
        ("a.pdf", "a.pdf"),
        ("docx", "docx"),
    ],
)
def test_what_sharepoint_would_change(given_name, kept):
    assert store_name(KEY, given_name, "sharepoint") == f"{KEY}-{kept}"
    assert store_name(KEY, given_name, "s3") == f"{KEY}-{given_name}"


@pytest.mark.parametrize("name", ["x", f"{KEY}", f"{KEY}-../x", f"{KEY}-a/b", f"../{KEY}-a"])
def test_what_is_no_store_name(name):
    assert not is_store_name(name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
        ("tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="),
        ("0pZP", "0rDEEwAAAAAAAAAAAwAAAAAAAAA="),
        ("eAV52qE=", "eChAHrQRCgAAAAAABQAAAAAAAAA="),
        ("/aNzzCFPS/A=", "/RjFHJgRgicsAR4ACAAAAAAAAAA="),
    ],
)
def test_the_hash_of_known_contents(tmp_path, content, told):
    path = tmp_path / "file"
    path.write_bytes(base64.b64decode(content))
    assert quick_xor_hash(path) == told


@given(st.binary(max_size=1000))
def test_the_hash_is_that_of_its_definition(tmp_path_factory, content):
    ring = 0
    for number, value in enumerate(content):
        for bit in range(8):
            ring ^= (value >> bit & 1) << (number * 11 + bit) % 160
    ring ^= len(content) << 96
    path = tmp_path_factory.getbasetemp() / "hashed"
    path.write_bytes(content)
    assert quick_xor_hash(path) == base64.b64encode(ring.to_bytes(20, "little")).decode()
