DELETE FROM role_permissions WHERE permission = 'views:share';
DROP TABLE saved_views;
DROP FUNCTION audit_saved_views();
