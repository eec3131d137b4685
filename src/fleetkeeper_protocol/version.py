"""The wire protocol's version, sent by the agent in its `User-Agent` and by the server in its configuration."""

PROTOCOL_VERSION = 1
