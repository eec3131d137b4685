"""Alertmanager's API: alerts from Prometheus and others, and silences by amtool. Owns alerts that came by the API."""
