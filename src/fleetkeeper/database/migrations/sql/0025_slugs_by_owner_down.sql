-- Of dashboards with one address the shared one keeps it, or the oldest; the others get their id.
UPDATE dashboards d SET slug = d.id::text
WHERE EXISTS (SELECT FROM dashboards o WHERE o.slug = d.slug AND o.id <> d.id
              AND (o.visibility = 'private', o.created_at, o.id) < (d.visibility = 'private', d.created_at, d.id));
DROP INDEX uq_dashboards_slug_own, uq_dashboards_slug_shared, ix_dashboards_slug;
ALTER TABLE dashboards ADD CONSTRAINT uq_dashboards_slug UNIQUE (slug);
