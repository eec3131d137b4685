"""What this room's objects, events and constraints are called."""

from fleetkeeper.audit.coverage import declare_skipped
from fleetkeeper.audit.words import declare_event, declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong

declare_object("approval_decisions", "decision on an approval request")
declare_object("approval_delegations", "delegation of approvals")
declare_object("approval_requests", "approval request", page="/approvals/{}")
declare_object("approval_rules", "approval rule", page="/approvals/rules/{}")
declare_event("approvals.approve", "Approved")
declare_event("approvals.reject", "Rejected", is_bad=True)
declare_taken("uq_approval_rules_name", "name", "An approval rule with this name already exists.")
declare_taken("uq_approval_requests_pending", "subject", "You have already requested this.")
declare_wrong("fk_approval_rules_department_id_departments", "department_id", "No such department")

declare_skipped(
    "approval_requests",
    approvers="follows from the rule",
    digest="follows from the payload",
    open_levels="follows from the decisions",
    reminds_at="is emptied by the reminder",
    waits_for="follows from the decisions",
)
