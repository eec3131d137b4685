DELETE FROM role_permissions WHERE permission IN ('approvals:read', 'approvals:write');
DROP TABLE approval_delegations, approval_decisions, approval_requests, approval_rules;
DROP FUNCTION audit_approval_delegations(), audit_approval_decisions(), audit_approval_requests(),
    audit_approval_rules();
