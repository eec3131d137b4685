DROP TABLE bookmarks;
DROP FUNCTION audit_bookmarks();
