"""Answers on their way to devices: by polling, over a WebSocket or to a webhook."""
