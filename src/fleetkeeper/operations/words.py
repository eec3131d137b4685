"""What the audit log leaves out of this room's tables."""

from fleetkeeper.audit.coverage import declare_unaudited

declare_unaudited("idempotency_keys", "answers to give again; what the requests changed is audited")
