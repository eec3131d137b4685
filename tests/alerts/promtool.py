"""Prometheus' own check of rule files."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.fixtures.peers import find_peer


def accepts(folder: Path, text: str) -> tuple[bool, str]:
    """Whether `promtool check rules` takes a file, and what it says."""
    (folder / "rules.yml").write_text(text)
    command = [find_peer("promtool"), "check", "rules", "--lint=none", str(folder / "rules.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def check_rules(folder: Path, templates: Sequence[str]) -> str:
    """What promtool says of a rule with these annotations, `t0` and so on."""
    annotations = {f"t{index}": text for index, text in enumerate(templates)}
    rule = {"alert": "A", "expr": "up", "annotations": annotations}
    return accepts(folder, json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))[1]


def found_templates(output: str) -> set[int]:
    """Which of the annotations it refuses."""
    return {int(index) for index in re.findall(r'annotation "t(\d+)"', output)}
