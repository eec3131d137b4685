ALTER TABLE saved_views DROP COLUMN is_default;
SELECT audit_table('saved_views', '{id}', 'name', NULL, '{updated_at,created_at}');
