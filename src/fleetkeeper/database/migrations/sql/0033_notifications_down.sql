DELETE FROM role_permissions WHERE permission IN ('notifications:read', 'notifications:write');
DROP TABLE notification_preferences, notification_inbox, notification_deliveries, notification_rules,
    notification_channels, notification_events;
DROP FUNCTION audit_notification_channels(), audit_notification_rules(), audit_notification_preferences();
