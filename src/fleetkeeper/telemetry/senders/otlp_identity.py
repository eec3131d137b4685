"""Which labels the resource and the scope of OTLP's points become, so that what they tell apart stays apart. Pure.

`service.namespace`, `service.name` and `service.instance.id` become `job` and `instance`, as in Prometheus. Of other
attributes of a resource those become labels that name or number what was measured, by the end of their names; not those
that describe the machine, which is the device here, or the software that measures.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fleetkeeper.telemetry.senders.metric_names import otlp_label_name

MAX_IDENTIFYING = 20
_SERVICE = ("service.name", "service.namespace", "service.instance.id")
_IDENTIFYING = re.compile(
    r"(?:.*[._])?(?:name|id|uid|pid|instance|endpoint|address|port|namespace|index|partition|topic|shard|database|table)"
)
_DESCRIBING = re.compile(
    r"(?:host|os|telemetry|service|cloud|deployment|browser|user_agent|aws|gcp|azure|heroku)[._].*"
    r"|process\.(?:runtime|command|parent|owner|real|saved|session|group|user|vpid|working|linux|args).*"
    r"|container\.(?:image|runtime|label|command)[._].*"
    r"|.*\.(?:annotation|annotations|label|labels)\..*"
)


class Named(NamedTuple):
    """Labels, and the names of those attributes that are called otherwise."""

    labels: Mapping[str, str]
    renamed: Sequence[str] = ()

    def beside(self, pairs: Iterable[tuple[str, str, str]]) -> "Named":
        """With more labels: the one that is wanted, the attribute's name, and the value."""
        labels, renamed = dict(self.labels), list(self.renamed)
        for wanted, key, value in pairs:
            label = _free(wanted, key, labels)
            labels[label] = value
            if label != key:
                renamed.append(key)
        return Named(labels, renamed)


NOTHING = Named({})


def labels_of_resource(attributes: Mapping[str, str]) -> Named:
    """The labels that a resource's attributes become."""
    name, namespace, instance = (attributes.get(key, "") for key in _SERVICE)
    pairs = []
    if name:
        pairs.append(("job", _SERVICE[0], f"{namespace}/{name}" if namespace else name))
    if instance:
        pairs.append(("instance", _SERVICE[2], instance))
    most = len(pairs) + MAX_IDENTIFYING
    for label, key in _named(attributes):
        is_needless = (instance and key.startswith("process.")) or (
            key == "k8s.pod.uid" and attributes.get("k8s.pod.name")
        )
        is_label = _IDENTIFYING.fullmatch(key) and not _DESCRIBING.fullmatch(key)
        if attributes[key] and is_label and not is_needless and len(pairs) < most:
            pairs.append((label, key, attributes[key]))
    return NOTHING.beside(pairs)


def labels_of_scope(name: str, version: str, attributes: Mapping[str, str], base: Named) -> Named:
    """The labels that a scope becomes beside those of its resource; empty ones are none."""
    pairs = [
        ("otel_scope_name", "otel.scope.name", name),
        ("otel_scope_version", "otel.scope.version", version),
    ]
    for label, key in _named(attributes)[:MAX_IDENTIFYING]:
        pairs.append((f"otel_scope_{label}", f"otel.scope.{key}", attributes[key]))
    return base.beside(pair for pair in pairs if pair[2])


def labels_of_point(attributes: Mapping[str, str], base: Named) -> Named:
    """A point's own attributes beside what its resource and scope give it.

    Where these have a label already, the point's is `exported_…`, as with Prometheus. Two attributes whose names would
    become one keep theirs as they are.
    """
    return base.beside(
        (f"exported_{label}" if label in base.labels else label, key, attributes[key])
        for label, key in _named(attributes)
    )


def _named(attributes: Iterable[str]) -> list[tuple[str, str]]:
    """Each attribute with its label. Those that are labels as they are come first, and keep their names."""
    named = [(otlp_label_name(key), key) for key in sorted(attributes)]
    return sorted(named, key=lambda item: item[0] != item[1])


def _free(label: str, key: str, taken: Mapping[str, str]) -> str:
    """The label, or the attribute's own name where that label is another's."""
    if label in taken and key not in taken:
        return key
    while label in taken:
        label = f"exported_{label}"
    return label
