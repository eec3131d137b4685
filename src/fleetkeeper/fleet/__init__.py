"""The agents: enrolment tokens, enrolment, what agents are told and what they say of their machines.

Does not own what agents measure (`telemetry`, a neighbour it does not import). Uses `devices`, `identity`, `config`.
"""
