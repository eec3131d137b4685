DELETE FROM role_permissions WHERE permission IN ('tags:read', 'tags:write');
DROP TABLE tagged, tags;
DROP FUNCTION audit_tags(), audit_tagged();
