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

-- Where the caller of a transaction may do anything at all, as its setting says; without one nowhere.
CREATE FUNCTION acts_everywhere() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('fleetkeeper.acting_departments', true) IS NOT DISTINCT FROM '*'
$$;
CREATE FUNCTION acting_departments() RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT string_to_array(nullif(nullif(current_setting('fleetkeeper.acting_departments', true), ''), '*'), ',')::uuid[]
$$;

-- Lets the application read and write a table with a `department_id`: people who are limited to departments reach the
-- rows of those alone, and what belongs to none is for those with a permission for everywhere. Which permission it takes
-- is asked by the room's services. Called by the migration of the room that owns the table.
CREATE FUNCTION secure_table(target text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    within text := '(SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[])';
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY department ON %I TO fleetkeeper_app USING (%s) WITH CHECK (%s)', target, within, within);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
END
$$;
REVOKE EXECUTE ON FUNCTION secure_table(text) FROM PUBLIC;
