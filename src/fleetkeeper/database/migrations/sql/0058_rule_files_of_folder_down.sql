DROP TABLE alert_rule_files;
DROP FUNCTION audit_alert_rule_files();
