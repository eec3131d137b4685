DELETE FROM role_permissions WHERE permission = 'notes:write';
DROP TABLE notes;
DROP FUNCTION audit_notes();
