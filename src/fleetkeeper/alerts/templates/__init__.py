"""Templates of labels and annotations: Go's text/template with Prometheus' functions, by an interpreter of its own.

Owns the reading and the rendering of these texts (`template` is the door), their bounds and their errors. Does not own
queries: a template's `query` asks a function that the caller gives. Facts are from Prometheus 2.42
(template/template.go, docs/configuration/template_reference.md) and the documentation of Go 1.19 (text/template, fmt,
strconv, time).

Left out: `js`, `call`, `slice`, complex numbers, in `printf` the widths and places that arguments give (`%*d`,
`%[1]s`), and its verbs for what is in maps and lists, which are written as `%v`.
"""
