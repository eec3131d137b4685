"""Interfaces of devices and virtual machines, and their addresses."""
