"""Bytes for people."""


def size_text(size: int) -> str:
    """Bytes in powers of 1,024, as all pages and commands have them: 1536 as `1.5 KiB`."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1000 or unit == "TiB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1024
    return ""
