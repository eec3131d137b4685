"""Results as tables for people and as JSON for machines."""

import json
import math
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table


@dataclass
class Section:
    """One table: rows of named cells. A cell is a number or a text; the first column names the row."""

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, **cells: Any) -> None:
        """Add a row."""
        self.rows.append(cells)

    def note(self, text: str) -> None:
        """Add a sentence under the table."""
        self.notes.append(text)

    def print(self, console: Console) -> None:
        """Print the table."""
        table = Table(title=self.title, title_justify="left", header_style="bold")
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        for number, name in enumerate(columns):
            table.add_column(
                name.replace("_", " "), justify="left" if number == 0 else "right", no_wrap=number == 0
            )
        for row in self.rows:
            table.add_row(*(_cell(row.get(name)) for name in columns))
        console.print(table)
        for text in self.notes:
            console.print(f"  {text}", highlight=False, markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return "-"
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processors": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average_before": psutil.getloadavg()[0],
    }


def write_json(path: Path, sections: list[Section]) -> None:
    """Write all sections and the machine's description."""
    content = {
        "machine": machine(),
        "sections": {section.title: {"rows": section.rows, "notes": section.notes} for section in sections},
    }
    path.write_text(json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n")


def _without_nan(content: Any) -> Any:
    """JSON has no word for "not a number"; what could not be measured is null."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
