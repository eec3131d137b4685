"""Logs: for people on a terminal, as JSON elsewhere. Control characters in values never reach the terminal."""

import contextlib
import logging
import sys
from typing import Any

import structlog


class _ForgivingLogger(structlog.PrintLogger):
    """Prints what it can: who works on while the disk is full must not fail for want of a place to say so."""

    def msg(self, message: str) -> None:
        """Print a line, or lose it."""
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def configure_logging(level: str, style: str) -> None:
    """Send structlog and the standard library's loggers to standard error in one form."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Traces show no values of variables: there are passwords and keys among them.
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                repr_native_str=True,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *renderers],  # type: ignore[list-item]
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _ForgivingLogger(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,  # type: ignore[arg-type]
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(logging.WARNING, getattr(logging, level.upper())), force=True
    )
