DROP VIEW requests, device_connections;
DROP TRIGGER move_requests ON devices;
DROP TABLE request_connections, agent_decision_verdicts, agent_decisions, response_metadata, responses, request_metadata,
    device_requests, request_handlers;
DROP FUNCTION place_device_request(), move_device_requests(), keep_agent_decisions(), secure_request_table(text, text),
    audit_request_handlers(), audit_device_requests(), audit_responses(), audit_agent_decisions(),
    audit_agent_decision_verdicts();
DELETE FROM role_permissions WHERE permission IN ('requests:read', 'requests:write', 'decisions:write');
