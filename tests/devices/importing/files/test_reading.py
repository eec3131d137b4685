"""Files as they come: of several formats, and hostile ones."""

import codecs
import io
import json
import zipfile

import openpyxl
import pytest

from fleetkeeper.devices.importing.files import table
from fleetkeeper.devices.importing.files.reading import format_of, read_table
from fleetkeeper.errors import InvalidInputError, TooLargeError


def workbook(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def refusal(content: bytes, file_format: str) -> str:
    with pytest.raises(InvalidInputError) as raised:
        await read_table(content, file_format)
    return raised.value.fields[0].message


@pytest.mark.parametrize(
    "content",
    [
        "name,owner\nMüller,ü\n".encode(),
        codecs.BOM_UTF8 + "name;owner\r\nMüller;ü\r\n".encode(),
        "name\towner\nMüller\tü\n".encode("utf-16"),
        "sep=|\nname|owner\nMüller|ü\n".encode(),
        "name;owner\nMüller;ü\n".encode("cp1252"),
        '"name";"owner"\n"Müller";"ü"\n\n;;\n'.encode(),
    ],
)
async def test_spreadsheets_write_csv_in_many_ways(content):
    found = await read_table(content, "csv")
    assert (found.columns, found.rows) == (["name", "owner"], [["Müller", "ü"]])


async def test_other_formats_say_the_same():
    rows = [{"name": "a", "cores": 4, "tags": ["x", "y"], "on": True, "none": None}]
    expected = ["a", "4", "x, y", "true", ""]
    for wrapped in (rows, {"results": rows}):
        found = await read_table(json.dumps(wrapped).encode(), "json")
        assert found.rows == [expected]
    text = b"- name: a\n  cores: 4\n  tags: [x, y]\n  on: true\n  none: null\n"
    assert (await read_table(text, "yaml")).rows == [expected]
    found = await read_table(
        workbook([["name", "cores", "on"], ["a", 4.0, True], [None, None, None]]), "xlsx"
    )
    assert found.rows == [["a", "4", "true"]]


async def test_a_formula_counts_as_its_value_and_text_stays_text():
    found = await read_table(workbook([["name", "owner"], ["=1+1", "a"]]), "xlsx")
    assert found.rows == [["", "a"]]
    assert (await read_table(b"name\n=1+1\n", "csv")).rows == [["=1+1"]]


@pytest.mark.parametrize(
    ("content", "file_format", "words"),
    [
        (b"name,name\na,b\n", "csv", "both named"),
        (b"name\n", "csv", "no rows"),
        (b"\n", "csv", "empty"),
        (b"name,b\na\x00,b\n", "csv", "Row 2, column 'name'"),
        (b"name\na,b\n", "csv", "more cells than the header"),
        (b'name\n"a', "csv", "quotes"),
        (b"name\n" + b"x" * 6000 + b"\n", "csv", "more than 5,000 characters"),
        (b"name\n" + b"x" * 200_000 + b"\n", "csv", "separators are wrong"),
        (b"name\n" + b"x\n" * 20_001, "csv", "more than 20,000 rows"),
        (b",".join(b"c%d" % one for one in range(201)) + b"\nx\n", "csv", "more than 200 columns"),
        (b"\xff\xfenam", "csv", "not valid"),
        (b"[" * 100_000, "json", "nested too deeply"),
        (b"[" * 300_000, "json", "too many nested"),
        (b'[{"name": NaN}]', "json", "no JSON"),
        (b'[{"name": "\\ud800"}]', "json", "no text"),
        (b'{"name": "a"}', "json", "no list"),
        (b"[1]", "json", "Entry 1 is no object"),
        (b"\xff", "json", "UTF-8"),
        (b"a: &a [x]\nb: *a\n", "yaml", "aliases"),
        (b"- {a: 1, a: 2}\n", "yaml", "twice"),
        (b"- ? [a]\n  : b\n", "yaml", "a list or an object"),
        (b"[" * 100, "yaml", "nested too deeply"),
        (b"- a: !!python/object/apply:os.system ['x']\n  b\n", "yaml", "no YAML in line"),
        (b"a: [\n", "yaml", "no YAML"),
        (b"# nothing\n", "yaml", "no list"),
        (b"PK nonsense", "xlsx", "no XLSX workbook"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said(content, file_format, words):
    assert words in await refusal(content, file_format)


async def test_tags_of_yaml_make_nothing():
    found = await read_table(b"- name: !!python/object/apply:os.system [x]\n", "yaml")
    assert found.rows == [["x"]]


async def test_an_archive_that_explodes_is_refused():
    file = io.BytesIO(workbook([["name"], ["a"]]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/more.xml", b" " * 70 * table.MEBIBYTE)
    assert len(file.getvalue()) < table.MEBIBYTE
    assert "unpacks to more than" in await refusal(file.getvalue(), "xlsx")


def with_sheet(sheet: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A workbook with another sheet in place of its own."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([["name"], ["a"]]))) as good,
        zipfile.ZipFile(file, "w", method) as made,
    ):
        for one in good.infolist():
            is_sheet = "sheet1" in one.filename and sheet
            made.writestr(one.filename, sheet if is_sheet else good.read(one))
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"<row/>" * 1_100_000, b"<row>" + b"<c/>" * 1_100_000 + b"</row>"], ids=["rows", "cells"]
)
async def test_elements_that_take_much_memory_are_refused_before_they_are_built(content, monkeypatch):
    monkeypatch.setattr("openpyxl.load_workbook", None)
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = b'<worksheet xmlns="' + main + b'"><sheetData>' + content + b"</sheetData></worksheet>"
    assert "too many rows or cells" in await refusal(with_sheet(sheet), "xlsx")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
async def test_archives_of_other_kinds_are_refused(method):
    assert "in a way that workbooks are not" in await refusal(with_sheet(b"", method), "xlsx")


async def test_a_part_gives_no_more_than_the_archive_tells():
    """Its true size is 30 MiB; the archive's directory says 100 bytes."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([["name"], ["a"]]))) as good,
        zipfile.ZipFile(file, "w", 8) as bad,
    ):
        for one in good.infolist():
            content = good.read(one)
            bad.writestr(
                one.filename, content + b" " * 30 * table.MEBIBYTE if "sheet1" in one.filename else content
            )
    lying = bytearray(file.getvalue())
    size = (30 * table.MEBIBYTE).to_bytes(4, "little")[2:]
    directory = lying.index(b"PK\x01\x02")
    place = lying.index(b"sheet1.xml", directory)
    start = lying.rindex(b"PK\x01\x02", 0, place)
    assert lying[start + 26 : start + 28] >= size
    lying[start + 24 : start + 28] = (100).to_bytes(4, "little")
    assert "no workbook" in await refusal(bytes(lying), "xlsx")


async def test_sparse_cells_and_broken_parts_take_no_memory():
    book = openpyxl.Workbook()
    book.active["A1"] = "name"
    book.active["A1000000"] = "a"
    file = io.BytesIO()
    book.save(file)
    assert "no rows" in await refusal(file.getvalue(), "xlsx")
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x")
    assert "no workbook" in await refusal(empty.getvalue(), "xlsx")


async def test_the_size_is_bounded_and_the_name_tells_the_format():
    with pytest.raises(TooLargeError):
        await read_table(b"x" * (table.MOST_BYTES + 1), "csv")
    assert format_of("Devices.YML") == "yaml"
    with pytest.raises(InvalidInputError):
        format_of("devices.exe")
