DELETE FROM role_permissions WHERE permission IN ('alerts:read', 'alerts:respond', 'alerts:write');
ALTER TABLE notification_channels DROP COLUMN format;
SELECT audit_table('notification_channels', '{id}', 'name', NULL, '{updated_at,created_at,version}',
                   '{secret_sealed,previous_secret_sealed}');
ALTER TABLE notification_events
    DROP COLUMN to_channels, DROP COLUMN to_groups, DROP COLUMN to_addresses, DROP COLUMN payload;
DROP TRIGGER move_alerts ON devices;
DROP TABLE alert_group_members, alert_groups, alert_routes, alert_receivers, alert_silences, alert_events, alert_logs,
    alert_instances, alert_evaluations, alert_overrides, alert_rules;
DROP FUNCTION move_alerts_of_device(), forget_alert_events(), create_alert_partition(date), manage_alert_partitions(date),
    audit_alert_rules(), audit_alert_overrides(), audit_alert_silences(), audit_alert_receivers(), audit_alert_routes();
