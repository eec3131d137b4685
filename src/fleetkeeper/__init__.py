"""Fleetkeeper: one control plane for the machines an organisation owns."""
