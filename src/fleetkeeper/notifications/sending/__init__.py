"""Puts messages on the network: by SMTP, as signed webhooks, through chat services. Owns no table, holds no session."""
