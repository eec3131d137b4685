"""What devices ask for, who answers, how answers reach them, and what agents decide about it (document 001).

Owns `device_requests` (view `requests`), `request_metadata`, `responses`, `response_metadata`, `request_handlers`,
`agent_decisions`, `agent_decision_verdicts` and `request_connections` (view `device_connections`). It does not own what
an answer leads to, such as an order. Uses devices, records, notifications, identity, config and jobs.
"""
