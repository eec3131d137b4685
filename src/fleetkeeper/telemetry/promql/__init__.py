"""PromQL over the fleet's telemetry: the language of Prometheus 2.42 and its HTTP API under `/prometheus`.

Owns the reading of texts, the evaluation (numpy over all steps at once, in worker processes), the API's shapes and its
limits. Does not own storage: samples come through `source.SampleSource`. Native histograms are left out.

What `worker` imports runs in those processes; none of it may import the database.
"""
