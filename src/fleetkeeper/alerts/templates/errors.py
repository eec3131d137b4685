"""What can be wrong with a template."""


class TemplateError(ValueError):
    """Why a template cannot be read or rendered, and where: line and column count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"Line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class FunctionError(ValueError):
    """What a function or an operation says of its arguments; who called it knows the place."""


def error_at(text: str, at: int, message: str) -> TemplateError:
    """The error for a place in a template's text."""
    start = text.rfind("\n", 0, at) + 1
    return TemplateError(message, text.count("\n", 0, at) + 1, at - start + 1)
