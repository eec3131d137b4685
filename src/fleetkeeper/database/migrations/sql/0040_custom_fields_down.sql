DELETE FROM role_permissions WHERE permission IN ('fields:read', 'fields:reveal', 'fields:write');
DROP TABLE custom_values, custom_fields;
DROP FUNCTION audit_custom_values(), audit_custom_fields();
