"""PromQL over the fleet's telemetry: the language of Prometheus 2.42 and its HTTP API under `/prometheus`.

Owns the evaluation (numpy over all steps at once), the API's shapes and its limits. Does not own storage: samples
come through `source.SampleSource`. The syntax tree is made by the `promql-parser` package. Native histograms are
left out.
"""
