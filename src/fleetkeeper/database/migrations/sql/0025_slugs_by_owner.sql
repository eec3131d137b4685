-- A private dashboard takes its address from nobody, so that nobody learns of it by an address that is taken.
ALTER TABLE dashboards DROP CONSTRAINT uq_dashboards_slug;
CREATE INDEX ix_dashboards_slug ON dashboards (slug);
CREATE UNIQUE INDEX uq_dashboards_slug_shared ON dashboards (slug) WHERE visibility = 'everyone';
CREATE UNIQUE INDEX uq_dashboards_slug_own ON dashboards (owner_id, slug) WHERE visibility = 'private';
