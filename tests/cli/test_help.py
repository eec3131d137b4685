"""The help of every command: standard terms, in American English."""

import re

import pytest
import typer

from fleetkeeper.cli.main import COMMANDS, build_app

# What is written otherwise: by the glossary, or in another English.
NOT_WRITTEN = re.compile(
    r"\benrol(?:s|ment|ments)?\b|organization|\bid\b|for machines|at most so many|if not given|\bmail address|"
    r"\bmake an? |may be asked|cannot be brought back|keeps it\b"
)


def helps(command) -> list[str]:
    """The texts of a command and of all below it."""
    texts = [command.help or "", *(getattr(one, "help", "") or "" for one in command.params)]
    for below in getattr(command, "commands", {}).values():
        texts += helps(below)
    return texts


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_is_written_in_standard_terms(name):
    texts = helps(typer.main.get_command(build_app(name)))
    assert len(texts) > 1
    assert [text for text in texts if NOT_WRITTEN.search(text)] == []
