-- Departments and roles can have annotations, too. Like users and groups they have no row-level security of their own:
-- services decide who changes what is added to them, also for people who do not see the whole fleet.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT policyname, tablename FROM pg_policies
        WHERE tablename IN ('tagged', 'notes', 'custom_values', 'attachments', 'attachment_parts')
          AND policyname ~ '^(users|groups)_(read|insert|update|delete)$'
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', made.policyname, made.tablename);
    END LOOP;
END
$$;
DROP TRIGGER forget_annotations ON users;
DROP TRIGGER forget_annotations ON groups;
SELECT annotate_table(kind, 'true') FROM unnest('{users,groups,departments,roles}'::text[]) AS kind;

-- Lets the application read and write a table with a `department_id`, in one statement: people who are limited to
-- departments reach the rows of those alone. Who may change a row there is asked by the room's services.
CREATE FUNCTION secure_table(target text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    within text := 'department_id = ANY ((SELECT visible_departments())::uuid[])';
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY department ON %I TO fleetkeeper_app USING (%s) WITH CHECK (%s)', target, within, within);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
END
$$;
REVOKE EXECUTE ON FUNCTION secure_table(text) FROM PUBLIC;
