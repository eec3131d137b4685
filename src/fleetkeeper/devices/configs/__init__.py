"""Configurations of devices by version, without their secrets."""
