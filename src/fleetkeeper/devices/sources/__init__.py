"""What each source says of a device, and what comes of a source that tells of a machine.

Owns `device_sources` and `device_identities`.
"""
