-- The rule files that the server's folder has or had; those that people import have no row.
CREATE TABLE alert_rule_files (
    name varchar(100) NOT NULL CONSTRAINT pk_alert_rule_files PRIMARY KEY,
    -- Of what was imported last; without a time nothing of it was imported yet.
    sha256 bytea,
    synced_at timestamptz,
    error varchar(4000) NOT NULL DEFAULT ''
);
ALTER TABLE alert_rule_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON alert_rule_files TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
-- Read by whoever has alerts, to know whose rules are the folder's; written by whoever acts everywhere.
CREATE POLICY seen ON alert_rule_files TO fleetkeeper_app USING (true) WITH CHECK ((SELECT acts_everywhere()));
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_rule_files TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('alert_rule_files', '{name}', 'name', NULL, '{synced_at}');
