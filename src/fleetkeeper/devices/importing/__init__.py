"""Devices from files: columns are mapped to fields, a dry run tells what happens, a job applies it, undo reverts it.

Owns imports and their rows, and the file that has devices in the same columns. Does not own what a device may be: rows
are entered by the services that `POST` and `PATCH` use. Uses `devices`, `annotations` and `jobs`.
"""
