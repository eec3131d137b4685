DELETE FROM role_permissions WHERE permission IN ('dashboards:share', 'dashboards:write');
DROP TABLE dashboards;
DROP FUNCTION IF EXISTS audit_dashboards();
