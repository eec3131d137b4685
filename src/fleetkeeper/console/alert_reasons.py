"""Why people were told of an alert, or were not, as a table of steps. Pure."""

from fleetkeeper.alerts.explaining.schemas import About, AlertExplanation, Effect
from fleetkeeper.console.contexts.panels import Cell, Facts, Panel, Row, Table, Tag

_ABOUT = {
    About.RULE: "Rule",
    About.STATE: "State",
    About.SUPPRESSION: "Suppression",
    About.ROUTE: "Route",
    About.GROUP: "Group",
    About.RECEIVER: "Receiver",
    About.NOTIFICATION: "Notification",
    About.YOU: "You",
}
_TAGS = {
    Effect.PASSES: (Tag("Passes", "good"),),
    Effect.HOLDS: (Tag("Holds back", "warning"),),
    Effect.NEUTRAL: (),
}


def reason_panels(told: AlertExplanation) -> list[Panel | None]:
    """The answer first, then each step."""
    rows = tuple(
        Row(
            (
                Cell(_ABOUT[one.about], one.href, indent=one.depth),
                Cell(tags=_TAGS[one.effect]),
                Cell(one.text),
                Cell(at=one.at, kind="time", style="absolute", is_soft=True) if one.at else Cell(),
            )
        )
        for one in told.steps
    )
    return [
        Facts("answer", "Who was notified", (("Answer", Cell(told.answer)),)),
        Table("steps", "Step by step", ("Step", "Effect", "Details", "When"), rows, is_stacked=True),
    ]
