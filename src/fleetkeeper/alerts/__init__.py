"""Alerts: rules over telemetry, what they found and what people did about it, silences, and who is told.

Does not own channels or deliveries (`notifications`), nor the samples that rules look at (`telemetry`).
"""
