"""The agents: enrollment tokens, enrollment, what agents are told and what they say of their machines.

Does not own what agents measure (`telemetry`, a neighbor it does not import). Uses `devices`, `identity`, `config`.
"""
