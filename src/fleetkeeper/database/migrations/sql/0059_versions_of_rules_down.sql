DROP TRIGGER keep_version ON alert_rules;
DROP FUNCTION keep_alert_rule_version();
DROP TABLE alert_rule_versions;
