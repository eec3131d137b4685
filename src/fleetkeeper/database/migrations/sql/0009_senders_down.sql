DELETE FROM role_permissions WHERE permission = 'devices:create';
DROP TABLE sender_rules, telemetry_hosts, sender_mapping;
DROP FUNCTION note_sender_mapping();
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_sender_rules', 'audit_telemetry_hosts'] LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %I()', name);
    END LOOP;
END
$$;
