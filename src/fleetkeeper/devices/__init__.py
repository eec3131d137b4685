"""The one model of a device: what is true of it now, who says so, and the evidence of its identity.

Owns devices, their sources, identities, host names, keys and presence. Does not own how a device is measured
(`telemetry`) or managed (`fleet`). Uses `identity` for access.
"""
