-- What each version of an alert rule was, so that one can go back to it. Kept by the database, whoever changes a rule.
CREATE TABLE alert_rule_versions (
    rule_id uuid NOT NULL,
    version integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor varchar(255) NOT NULL DEFAULT '',
    content jsonb NOT NULL,
    CONSTRAINT pk_alert_rule_versions PRIMARY KEY (rule_id, version),
    CONSTRAINT fk_alert_rule_versions_rule_id_alert_rules FOREIGN KEY (rule_id) REFERENCES alert_rules (id) ON DELETE CASCADE
);

-- The newest hundred of each rule.
CREATE FUNCTION keep_alert_rule_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO alert_rule_versions (rule_id, version, actor, content)
    VALUES (NEW.id, NEW.version,
            coalesce((current_audit_context()).actor_name, ''),
            to_jsonb(NEW) - '{id,rule_id,unit,position,origin,origin_key,kind,version,created_at,updated_at}'::text[])
    ON CONFLICT (rule_id, version) DO UPDATE SET content = excluded.content, actor = excluded.actor, at = now();
    DELETE FROM alert_rule_versions WHERE rule_id = NEW.id AND version <= NEW.version - 100;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_alert_rule_version() FROM PUBLIC;
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE ON alert_rules FOR EACH ROW EXECUTE FUNCTION keep_alert_rule_version();

INSERT INTO alert_rule_versions (rule_id, version, at, content)
SELECT id, version, updated_at,
       to_jsonb(r) - '{id,rule_id,unit,position,origin,origin_key,kind,version,created_at,updated_at}'::text[]
FROM alert_rules r;

ALTER TABLE alert_rule_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON alert_rule_versions TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
-- Whoever sees a rule sees its versions; nobody writes them but the trigger.
CREATE POLICY of_rule ON alert_rule_versions FOR SELECT TO fleetkeeper_app
    USING (EXISTS (SELECT FROM alert_rules r WHERE r.id = alert_rule_versions.rule_id));
GRANT SELECT ON alert_rule_versions TO fleetkeeper_app, fleetkeeper_whole_fleet;
