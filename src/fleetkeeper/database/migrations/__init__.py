"""The schema's history. `fleetkeeper db migrate|rollback|status` walks it."""
