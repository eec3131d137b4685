DROP FUNCTION attachment_bytes();
DROP TABLE attachment_parts, attachments;
DROP FUNCTION audit_attachments();
