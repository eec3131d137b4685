"""What the audit log leaves out of this room's tables."""

from fleetkeeper.audit.coverage import declare_skipped

declare_skipped("agents", last_contact="moves on with each report")
declare_skipped("enrollment_tokens", last_used_at="moves on with each use")
