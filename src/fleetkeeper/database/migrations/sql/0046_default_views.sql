-- A view that a list begins with, for its owner.
ALTER TABLE saved_views ADD COLUMN is_default boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX uq_saved_views_default ON saved_views (owner_id, path) WHERE is_default;
SELECT audit_table('saved_views', '{id}', 'name', NULL, '{updated_at,created_at}');
