"""Tables of the command line: nothing is cut in a narrow terminal, and a pipe has one line for each row."""

from rich.cells import cell_len

import fleetkeeper.all_jobs  # noqa: F401 - every room declares its jobs
from fleetkeeper.cli.grid import laid_out
from fleetkeeper.jobs.declaring import JOBS

ID = "01a21f75-0000-7000-8000-00000000000a"
HEADS = ("ID", "Job", "Reason")
ROWS = [(ID, "telemetry.retain_removed", "asked for by somebody who wanted to see what happens")] * 2


def text_of(width: int | None) -> str:
    return "\n".join(laid_out(HEADS, ROWS, width))


def test_a_pipe_has_one_line_for_each_row():
    lines = text_of(None).splitlines()
    assert len(lines) == 3
    assert lines[1].split("  ") == list(ROWS[0])


def test_long_sentences_wrap_and_words_stay_whole():
    for width in range(78, 130):
        text = text_of(width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert text.count(ID) == text.count("telemetry.retain_removed") == 2
        assert text.startswith("ID  ")


def test_too_narrow_for_a_table_rows_become_blocks():
    blocks = text_of(60).split("\n\n")
    assert [block.splitlines() for block in blocks] == [
        [f"ID      {ID}", "Job     telemetry.retain_removed", f"Reason  {ROWS[0][2]}"]
    ] * 2


def test_wide_characters_keep_columns_in_line():
    lines = list(laid_out(("Name", "Unit"), [("温度", "°C"), ("rain", "mm")], None))
    assert (
        len(
            {
                cell_len(line[: line.index(unit)])
                for line, unit in zip(lines, ("Unit", "°C", "mm"), strict=True)
            }
        )
        == 1
    )


def test_the_list_of_jobs_is_a_table_in_a_usual_terminal():
    rows = [(one.name, one.title, one.cron, "yes" if one.manual_run else "no") for one in JOBS.values()]
    lines = list(laid_out(("Name", "Title", "Cron", "Manual run"), rows, 80))
    assert lines[0].startswith("Name  ")
    assert all(any(line.startswith(f"{one.name} ") for line in lines) for one in JOBS.values())
