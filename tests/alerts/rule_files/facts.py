"""Rule files, and whether Prometheus takes them."""


def file(rule: str, group: str = "name: g") -> str:
    return f"groups:\n- {{{group}, rules: [{rule}]}}\n"


TAKEN = (
    "",
    "{}",
    "groups:",
    "groups: []",
    "groups: [{name: g}]",
    file("{alert: A, expr: up}"),
    file("{alert: A, expr: 1}"),
    file("{alert: 5, expr: up == 0, for: 1h30m, keep_firing_for: 90s}"),
    file("{record: 'a:b', expr: sum(up), labels: {x: y}}"),
    file("{alert: A, expr: up, for: 0, labels: {severity: page, n: 5}}", "name: g, interval: 15s, limit: 3"),
    file("{alert: A, expr: up, for: 1y2w3d4h5m6s7ms}"),
    file("{alert: A, expr: up, annotations: {s: '{{ $labels.instance }} is {{ $value | humanize }}'}}"),
    file("{alert: A, expr: up, labels: {s: ''}}"),
    file("{alert: A, expr: up, labels: }"),
    "groups:\n- &g {name: a, rules: &r [{alert: A, expr: up}]}\n- {name: b, rules: *r}\n",
    "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: |\n      up\n        == 0\n",
)
REFUSED = (
    "[",
    "groups: 5",
    "5",
    "- a",
    "group: []",
    "groups: [{rules: []}]",
    "groups: [{name: a}, {name: a}]",
    "groups: [{name: a, name: b}]",
    "groups: [{name: a, intervall: 5s}]",
    "groups: [{name: a, interval: 5}]",
    "groups: [{name: a, interval: '5 s'}]",
    "groups: [{name: a, limit: x}]",
    "groups: [{name: a, rules: {}}]",
    file("{expr: up}"),
    file("{alert: A}"),
    file("{alert: A, expr: ''}"),
    file("{alert: A, record: b, expr: up}"),
    file("{alert: A, expr: 'up{'}"),
    file("{alert: A, expr: up, fo: 5m}"),
    file("{alert: A, expr: up, for: 5}"),
    file("{alert: A, expr: up, for: ''}"),
    file("{alert: A, expr: up, for: 1m1h}"),
    file("{alert: A, expr: up, for: 5000000y}"),
    file("{alert: A, expr: up, labels: {__name__: x}}"),
    file("{alert: A, expr: up, labels: {a-b: x}}"),
    file("{alert: A, expr: up, labels: {a: [x]}}"),
    file("{alert: A, expr: up, annotations: {a: '{{ $x }'}}"),
    file("{alert: A, expr: up, labels: {a: '{{ nofunction 1 }}'}}"),
    file("{record: a, expr: up, for: 5m}"),
    file("{record: a, expr: up, keep_firing_for: 5m}"),
    file("{record: a, expr: up, annotations: {a: b}}"),
    file("{record: a-b, expr: up}"),
)
