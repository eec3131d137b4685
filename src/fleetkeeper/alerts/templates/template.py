"""The door: a text becomes a Template, which is rendered with a Context as often as wanted."""

from dataclasses import dataclass
from functools import lru_cache

from fleetkeeper.alerts.templates.execution import Execution
from fleetkeeper.alerts.templates.functions import FUNCTIONS
from fleetkeeper.alerts.templates.parsing import Tree, parse_tree
from fleetkeeper.alerts.templates.values import Context

# What Prometheus sets before each template of an alerting rule.
VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")
_KEPT = 512


@dataclass(frozen=True)
class Template:
    """A template that was read."""

    text: str
    tree: Tree

    def render(self, context: Context) -> str:
        """The text that it makes of what it is given. Raises TemplateError."""
        if "{{" not in self.text:
            return self.text
        return Execution(self.text, self.tree, context).render()


@lru_cache(maxsize=_KEPT)
def parse(text: str) -> Template:
    """The template of a text; those used last are kept. Raises TemplateError."""
    return Template(text, parse_tree(text, FUNCTIONS, VARIABLES))


def check(text: str) -> None:
    """Raise TemplateError when the text is no template."""
    parse_tree(text, FUNCTIONS, VARIABLES)
