"""Devices, virtual machines, and the hosts of these as clusters."""
