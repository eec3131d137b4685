"""What one rendering may cost, counted: no clock decides, so a template does the same on each machine."""

from fleetkeeper.alerts.templates.errors import FunctionError

MAX_STEPS = 5_000
MAX_VALUE_LENGTH = 16_384
MAX_OUTPUT_LENGTH = 16_384
MAX_QUERIES = 10
# What all templates of a rule may cost together at an instant; what a usual one takes is free for each alert.
MAX_STEPS_OF_RULE = 500_000
FREE_STEPS = 30
_CHARACTERS_A_STEP = 100


class Allowance:
    """Steps that several renderings share. Raises FunctionError when they are used up."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS_OF_RULE

    def take(self, steps: int) -> None:
        """Take some steps."""
        self._steps -= steps
        if self._steps < 0:
            raise FunctionError("the templates of the rule together take too many steps")

    @property
    def is_used_up(self) -> bool:
        """Whether a rendering has failed for want of steps."""
        return self._steps < 0


class Effort:
    """Steps, queries and characters of a rendering. Raises FunctionError when they are used up."""

    def __init__(self, shared: Allowance | None = None) -> None:
        self._shared = shared
        self._steps = MAX_STEPS
        self._queries = MAX_QUERIES
        self._output = MAX_OUTPUT_LENGTH

    def spend(self, steps: int = 1) -> None:
        """Take some steps."""
        self._steps -= steps
        if self._steps < 0:
            raise FunctionError(f"the template takes more than {MAX_STEPS} steps")
        if self._shared is not None and self._steps < MAX_STEPS - FREE_STEPS:
            self._shared.take(steps)

    def value(self, text: str) -> str:
        """The same text, if a value may be so long."""
        if len(text) > MAX_VALUE_LENGTH:
            raise FunctionError(f"a value is longer than {MAX_VALUE_LENGTH} characters")
        self.spend(len(text) // _CHARACTERS_A_STEP)
        return text

    def query(self) -> None:
        """Take a query."""
        self._queries -= 1
        if self._queries < 0:
            raise FunctionError(f"the template makes more than {MAX_QUERIES} queries")

    def output(self, text: str) -> str:
        """The same text, if that much more may be written."""
        self._output -= len(text)
        if self._output < 0:
            raise FunctionError(f"the text is longer than {MAX_OUTPUT_LENGTH} characters")
        return text
