"""Tells people what happened: by mail, webhook, chat, and in the console.

Owns events on their way out, channels, rules, deliveries, each person's inbox and preferences. Does not own what
happens: rooms declare events and emit them, in the transaction that makes them true. Uses `identity` and `jobs`.
"""
