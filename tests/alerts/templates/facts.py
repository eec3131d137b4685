"""Templates with what Prometheus 2.42 makes of them; WRONG stands for an error while rendering."""

from fleetkeeper.alerts.templates.values import Context, Sample

WRONG = "<error expanding template"
TWO = 'label_replace(vector(2), "x", "b", "", "") or label_replace(vector(1.5), "x", "a", "", "")'
NONE = "vector(1) > 2"
LABELS = {"instance": "db.example.com:9100", "device": "sda <1>", "job": "node"}
VALUE = 1234567.5


def query(text: str) -> list[Sample]:
    return {TWO: [Sample({"x": "b"}, 2.0), Sample({"x": "a"}, 1.5)], NONE: []}[text]


CONTEXT = Context(LABELS, VALUE, {"site": "north"}, "http://localhost:9090/monitoring", query)

# Checked by hand against the documentation, wherever no Prometheus can be asked.
FACTS = {
    "plain text": "plain text",
    "{{ 1 }}": "1",
    "{{ $labels.instance }} of {{ $labels.job }}": "db.example.com:9100 of node",
    "{{ .Labels.device }}": "sda <1>",
    "{{ $labels.missing }}.": ".",
    "{{ .Missing }}": WRONG,
    "{{ $value }} {{ .Value }}": "1.2345675e+06 1.2345675e+06",
    "{{ $externalLabels.site }} {{ .ExternalLabels.site }}": "north north",
    "{{ $externalURL }} {{ .ExternalURL }} {{ externalURL }} {{ pathPrefix }}": (
        "http://localhost:9090/monitoring http://localhost:9090/monitoring"
        " http://localhost:9090/monitoring /monitoring"
    ),
    "a {{- 1 -}} b": "a1b",
    "a {{- /* no \n word */ -}} b{{/* other */}}": "ab",
    "{{ 3.0 }} {{ 1e3 }} {{ 0.5 }} {{ 1e-7 }} {{ 123456.0 }} {{ 1e20 }} {{ 1e21 }} {{ -0.00001234 }}": None,
    "{{ 0x1f }} {{ 0777 }} {{ 1_000 }} {{ 'a' }} {{ true }} {{ 0b101 }} {{ -3 }} {{-3 }}": None,
    '{{ printf "%v %s %q %d" "a" "b" "c\\n" 7 }}': 'a b "c\\n" 7',
    '{{ printf "%f %.2f %8.3f|%-8.1f|%08.1f|%+.0f" 1.5 2.345 3.0 4.0 5.5 6.4 }}': (
        "1.500000 2.35    3.000|4.0     |000005.5|+6"
    ),
    '{{ printf "%e %.3e %g %.3g %G" 1234.5 0.00012 1e21 1234567.0 1e-9 }}': None,
    '{{ printf "%x %X % x %#x %x" "hi" "hi" "hi" "hi" 255 }}': "6869 6869 68 69 0x6869 ff",
    '{{ printf "%d" 1.5 }} {{ printf "%s" 1 }} {{ printf "%d" }} {{ printf "a" 1 "b" }} {{ printf "%" }}': None,
    '{{ printf "%5t|%v|%t" true false 1 }}': " true|false|%!t(int=1)",
    '{{ printf "%5s|%-5s|%.2s|%05d|%+d|% d" "a" "b" "cde" 42 7 8 }}': "    a|b    |cd|00042|+7| 8",
    '{{ printf "%c %U %q %o %b" 97 97 97 8 5 }}': None,
    '{{ printf "%T %T %T" 1 1.5 "a" }}': "int float64 string",
    '{{ printf "%v" $labels }}': "map[device:sda <1> instance:db.example.com:9100 job:node]",
    '{{ printf "%v %v" nil true }}': "<nil> true",
    '{{ printf "%z" 1 }} {{ printf "100%%" }}': "%!z(int=1) 100%",
    '{{ print 1 2 "a" 3 "b" "c" nil }}': None,
    '{{ println 1 "a" 2.5 }}': "1 a 2.5\n",
    "{{ $labels }}": "map[device:sda <1> instance:db.example.com:9100 job:node]",
    "{{ . }}": None,
    '{{ $x := "a" }}{{ $x }}{{ $x = "b" }}{{ $x }}': "ab",
    "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}": "32",
    "{{ if gt $value 1.0 }}big{{ else }}small{{ end }}": "big",
    "{{ if lt $value 1.0 }}small{{ else if gt $value 1e9 }}huge{{ else }}usual{{ end }}": "usual",
    "{{ if $labels.missing }}there{{ end }}": "",
    "{{ with $labels.job }}{{ . }}{{ end }}{{ with $labels.nothing }}x{{ else }}none{{ end }}": "nodenone",
    "{{ with $x := 5 }}{{ $x }}{{ . }}{{ end }}": "55",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}": (
        "device=sda <1>;instance=db.example.com:9100;job=node;"
    ),
    "{{ range $v := $labels }}{{ $v }};{{ end }}": "sda <1>;db.example.com:9100;node;",
    "{{ range $labels }}{{ if eq . `node` }}{{ break }}{{ end }}{{ . }};{{ end }}": "sda <1>;db.example.com:9100;",
    "{{ range $labels }}{{ if ne . `node` }}{{ continue }}{{ end }}{{ . }};{{ end }}": "node;",
    "{{ range 3 }}x{{ end }}": WRONG,
    f"{{{{ range query `{TWO}` | sortByLabel `x` }}}}{{{{ .Labels.x }}}}={{{{ .Value }}}} {{{{ end }}}}": "a=1.5 b=2 ",
    f"{{{{ range query `{NONE}` }}}}x{{{{ else }}}}none{{{{ end }}}}": "none",
    f"{{{{ query `{NONE}` | first | value }}}}": WRONG,
    f"{{{{ with query `{TWO}` }}}}{{{{ . | first | value }}}}{{{{ end }}}}": None,
    f"{{{{ query `{TWO}` | sortByLabel `x` | first | label `x` }}}}": "a",
    f"{{{{ $r := sortByLabel `x` (query `{TWO}`) }}}}{{{{ (index $r 1).Value }}}} {{{{ len $r }}}}": "2 2",
    f"{{{{ range $i, $s := query `{TWO}` }}}}{{{{ $i }}}}{{{{ end }}}}": "01",
    f"{{{{ (query `{TWO}`).banana }}}}": WRONG,
    f"{{{{ query `{TWO}` | sortByLabel `x` | first }}}}": "{map[x:a] 1.5}",
    f"{{{{ query `{TWO}` | first | strvalue }}}}": "",
    '{{ define "x" }}{{ .arg0 }}-{{ .arg1 }}-{{ .arg2 }}{{ end }}{{ template "x" (args 1 "2") }}': "1-2-<no value>",
    '{{ define "y" }}[{{ . }}]{{ end }}{{ template "y" }}{{ template "y" 5 }}': "[<no value>][5]",
    '{{ block "z" 3 }}<{{ . }}>{{ end }}': "<3>",
    '{{ template "missing" }}': WRONG,
    "{{ and 1 0 2 }} {{ or 0 `` 3 4 }} {{ not 1 }} {{ and 1 2 }}": "0 3 false 2",
    "{{ and false (index $labels 1) }}": "false",
    "{{ eq 1 2 1 }} {{ ne `a` `b` }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 1 2 }} {{ ge 1.5 1.5 }}": None,
    "{{ eq $value 1 }}": WRONG,
    "{{ lt true false }}": WRONG,
    "{{ eq $labels $labels }}": WRONG,
    "{{ eq nil nil }} {{ eq $labels.job `node` }}": None,
    "{{ len `héllo` }} {{ len $labels }}": "6 3",
    "{{ len 3 }}": WRONG,
    "{{ index $labels `job` }} {{ index $labels `nothing` }}|{{ index `abc` 1 }}": "node |98",
    "{{ index `abc` 5 }}": WRONG,
    "{{ html $labels.device }} {{ urlquery `a b&c/ä~` }} {{ html 1 2 }}": (
        "sda &lt;1&gt; a+b%26c%2F%C3%A4~ 1 2"
    ),
    "{{ range args 0.0 1.0 1234567.0 .12 -5 `1e5` 1e30 }}{{ humanize . }}:{{ end }}": (
        "0:1:1.235M:120m:-5:100k:1e+06Y:"
    ),
    "{{ range args 0.0 1.0 1048576.0 .12 1234567 }}{{ humanize1024 . }}:{{ end }}": "0:1:1Mi:0.12:1.177Mi:",
    "{{ range args 0 1 60 3600 86400 -183845 899.99 .1 .0001 60.5 1.2345 }}{{ humanizeDuration . }}:{{ end }}": None,
    "{{ -0.22222 | humanizePercentage }}:{{ 1.23456 | humanizePercentage }}:{{ 1e9 | humanizePercentage }}": None,
    "{{ 1435065584.128 | humanizeTimestamp }} {{ humanizeTimestamp -1 }} {{ humanizeTimestamp -0.5 }}": None,
    "{{ range args `NaN` `+Inf` `-Inf` }}{{ humanize . }}{{ humanize1024 . }}{{ humanizeDuration . }}"
    "{{ humanizePercentage . }}{{ humanizeTimestamp . }};{{ end }}": None,
    "{{ humanizeTimestamp 1e30 }}": WRONG,
    "{{ humanize `one` }}": WRONG,
    "{{ humanize true }}": WRONG,
    '{{ (toTime 1435065584.128).Format "Mon Jan _2 15:04:05.000 2006 03:04PM Z07:00 -0700 MST 02/01/06" }}': None,
    "{{ $t := toTime 1435065584 }}{{ $t.Year }} {{ $t.Month }} {{ $t.Weekday }} {{ $t.Unix }} {{ $t }}": None,
    "{{ toTime `NaN` }}": WRONG,
    '{{ "aa bb CC d_e f-g" | title }} {{ "aA ß" | toUpper }} {{ "aB Ä" | toLower }}': "Aa Bb CC D_e F-G AA ß ab ä",
    '{{ match "a+" "baab" }} {{ match "^a+$" "b" }}': "true false",
    '{{ match "(" "b" }}': WRONG,
    '{{ reReplaceAll "(.*):(.*)" "$2-${1}x" "h:9" }} {{ reReplaceAll "a*" "x" "baac" }}': None,
    '{{ reReplaceAll "(" "x" "ab" }}': WRONG,
    '{{ graphLink "up{a=\\"b c\\"}" }} {{ tableLink "up" }}': None,
    "{{ range args `foo.example.com` `foo.example.com:12` `192.0.2.1` `192.0.2.1:12` `2001:DB8::1`"
    " `[2001:DB8::1]:12` `[2001:DB8::1]::12` `a:b:c` `` }}{{ stripPort . }} {{ stripDomain . }};{{ end }}": None,
    '{{ parseDuration "1h30m" }} {{ parseDuration "0" }} {{ parseDuration "1d10ms" }}': None,
    '{{ parseDuration "1.5h" }}': WRONG,
    '{{ parseDuration "" }}': WRONG,
    '{{ safeHtml "<b>" }}': "<b>",
    "{{ stripPort 5 }}": WRONG,
    "{{ stripPort }}": WRONG,
    "{{ stripPort `a` `b` }}": WRONG,
    "{{ 1 | $labels.job }}": WRONG,
    "{{ $labels.job.x }}": WRONG,
    "{{ $labels.job 5 }}": WRONG,
    "{{ (args 1).arg7 }}": None,
    "{{ (args 1).arg7.x }}": WRONG,
    '{{ printf "%v" (args 1 "b") }} {{ args }} {{ $value | }}': None,
    '{{ "quoted \\" \\t \\u00e9 \\x41" }}{{ `raw \\n` }}': None,
}

# What `check` refuses, as Prometheus does when it loads a rule.
NO_TEMPLATES = [
    "{{",
    "{{ }",
    "{{ }}",
    "{{ \u00a0 }}",
    '{{ "a }}',
    "{{ 'ab' }}",
    '{{ "\\z" }}',
    "{{ nothing }}",
    "{{ $x }}",
    "{{ | .x }}",
    "{{ 1 | 2 }}",
    "{{ 1 | nil }}",
    "{{ (1 }}",
    "{{ 1) }}",
    "{{ () }}",
    "{{ 1.x }}",
    "{{ nil.x }}",
    '{{ "a"."b" }}',
    '{{ "a""b" }}',
    "{{ 12a }}",
    "{{ 99999999999999999999 }}",
    "{{ 1__0 }}",
    "{{ if }}x{{ end }}",
    "{{ if true }}x",
    "{{ if true }}x{{ else }}y{{ else }}z{{ end }}",
    "{{ end }}",
    "{{ else }}",
    "{{ range $a, $b, $c := $labels }}{{ end }}",
    "{{ with $a, $b := $labels }}{{ end }}",
    "{{ break }}",
    "{{ if true }}{{ continue }}{{ end }}",
    "{{ define x }}{{ end }}",
    '{{ define "x" }}{{ $labels }}{{ end }}',
    '{{ if true }}{{ define "x" }}{{ end }}{{ end }}',
    '{{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }}',
    "{{ template }}",
    "{{ template x }}",
    "{{/* open }}",
    "{{/* a */ }}",
    "{{ $labels.job%3 }}",
    "{{ .a, }}",
    "{{ @ }}",
    "{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}",
]

# What Prometheus takes although it cannot be rendered.
NEVER_RENDERED = ["{{ $x = 1 }}"]
