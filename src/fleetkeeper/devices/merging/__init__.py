"""Devices that are one: merge with a preview, undo, and split off what a source tells.

What hangs off a device goes to the one that stays, and a journal knows what went. Telemetry stays where it is and is
read from both. Owns `device_merges`.
"""
