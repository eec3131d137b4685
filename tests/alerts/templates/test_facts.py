"""Templates as Prometheus 2.42 reads and renders them: a table, and the same through a real Prometheus."""

import json
from pathlib import Path

import httpx
import pytest

from fleetkeeper.alerts.templates.errors import TemplateError
from fleetkeeper.alerts.templates.template import check, parse
from tests.alerts.promtool import check_rules, found_templates
from tests.alerts.templates.facts import CONTEXT, FACTS, LABELS, NEVER_RENDERED, NO_TEMPLATES, VALUE, WRONG
from tests.fixtures.peers import find_peer, running_peer
from tests.fixtures.product import free_port, wait_for


def rendered(text: str) -> str:
    try:
        return parse(text).render(CONTEXT)
    except TemplateError:
        return WRONG


@pytest.mark.parametrize("text", [text for text, expected in FACTS.items() if expected is not None])
def test_templates_give_what_the_documentation_says(text):
    assert rendered(text) == FACTS[text]


@pytest.mark.parametrize("text", [*NO_TEMPLATES, *NEVER_RENDERED])
def test_what_is_no_template_is_refused(text):
    with pytest.raises(TemplateError) as caught:
        check(text)
    assert (caught.value.line, caught.value.column) >= (1, 1)


@pytest.fixture(scope="module")
def annotations(tmp_path_factory: pytest.TempPathFactory):
    """What a real Prometheus makes of each of the templates."""
    program = find_peer("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    expression = f"vector({VALUE})"
    for name, value in LABELS.items():
        expression = f'label_replace({expression}, "{name}", "{value}", "", "")'
    rule = {
        "alert": "Facts",
        "expr": expression,
        "annotations": {f"t{index}": text for index, text in enumerate(FACTS)},
    }
    config = {
        "global": {"evaluation_interval": "1s", "external_labels": {"site": "north"}},
        "rule_files": ["rules.yml"],
    }
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "facts", "rules": [rule]}]}))
    (folder / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    arguments = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.external-url=http://localhost:9090/monitoring",
        "--log.level=error",
    ]
    with running_peer(arguments, folder / "log"):
        yield wait_for("alert", lambda: alert_of(port), 60)


def alert_of(port: int) -> dict[str, str] | None:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/monitoring/api/v1/rules", timeout=10).json()
        found = answer["data"]["groups"][0]["rules"][0]["alerts"]
    except (httpx.TransportError, ValueError, LookupError):
        return None
    return found[0]["annotations"] if found else None


@pytest.mark.parametrize("text", FACTS)
def test_templates_give_what_a_real_prometheus_gives(text, annotations):
    theirs = annotations[f"t{list(FACTS).index(text)}"]
    assert rendered(text) == (WRONG if theirs.startswith(WRONG) else theirs)


def test_a_real_prometheus_refuses_the_same(tmp_path: Path):
    refused = found_templates(check_rules(tmp_path, [*NO_TEMPLATES, *FACTS]))
    assert refused == set(range(len(NO_TEMPLATES)))
