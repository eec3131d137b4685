"""What a process shares is asked for by its type, in one way."""

from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "fleetkeeper"
ALLOWED = {"app.py", "kit/services.py"}


def test_nobody_reaches_into_the_application():
    found = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "app.state" in path.read_text() and str(path.relative_to(SOURCE)) not in ALLOWED
    ]
    assert found == []
