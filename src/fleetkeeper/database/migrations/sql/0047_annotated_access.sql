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
