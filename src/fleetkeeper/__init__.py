"""Fleetkeeper: one control plane for the machines an organization owns."""
