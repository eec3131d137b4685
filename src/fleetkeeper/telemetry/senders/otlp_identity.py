"""Which labels the resource and the scope of OTLP's points become, so that what they tell apart stays apart. Pure.

`service.namespace`, `service.name` and `service.instance.id` become `job` and `instance`, as in Prometheus. Of other
attributes of a resource those become labels that name or number what was measured, by the end of their names; not those
that describe the machine, which is the device here, or the software that measures.
"""

import re
from collections.abc import Iterable, Mapping

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


def labels_of_resource(attributes: Mapping[str, str]) -> dict[str, str]:
    """The labels that a resource's attributes become."""
    name, namespace, instance = (attributes.get(key, "") for key in _SERVICE)
    labels: dict[str, str] = {}
    for label, key in _named(attributes):
        is_needless = (
            (instance and key.startswith("process."))
            or (key == "k8s.pod.uid" and attributes.get("k8s.pod.name"))
            or len(labels) >= MAX_IDENTIFYING
        )
        if (
            not is_needless
            and attributes[key]
            and _IDENTIFYING.fullmatch(key)
            and not _DESCRIBING.fullmatch(key)
        ):
            labels[_free(label, key, labels)] = attributes[key]
    if name:
        labels["job"] = f"{namespace}/{name}" if namespace else name
    if instance:
        labels["instance"] = instance
    return labels


def labels_of_scope(name: str, version: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """The labels that a scope becomes; empty ones are none."""
    labels = {"otel_scope_name": name, "otel_scope_version": version}
    for label, key in _named(attributes)[:MAX_IDENTIFYING]:
        labels[_free(f"otel_scope_{label}", f"otel.scope.{key}", labels)] = attributes[key]
    return {label: value for label, value in labels.items() if value}


def labels_of_point(attributes: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """A point's own attributes beside what its resource and scope give it.

    Where these have a label already, the point's is `exported_…`, as with Prometheus. Two attributes whose names would
    become one keep theirs as they are.
    """
    labels = dict(base)
    for label, key in _named(attributes):
        wanted = f"exported_{label}" if label in base else label
        labels[_free(wanted, key, labels)] = attributes[key]
    return labels


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
