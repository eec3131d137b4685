DROP FUNCTION secure_table(text), acts_everywhere(), acting_departments();
DELETE FROM tagged WHERE object_type IN ('departments', 'roles');
DELETE FROM notes WHERE object_type IN ('departments', 'roles');
DELETE FROM custom_values WHERE object_type IN ('departments', 'roles');
DELETE FROM attachments WHERE object_type IN ('departments', 'roles');
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT policyname, tablename FROM pg_policies
        WHERE tablename IN ('tagged', 'notes', 'custom_values', 'attachments', 'attachment_parts')
          AND policyname ~ '^(users|groups|departments|roles)_(read|insert|update|delete)$'
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', made.policyname, made.tablename);
    END LOOP;
END
$$;
DROP TRIGGER forget_annotations ON users;
DROP TRIGGER forget_annotations ON groups;
DROP TRIGGER forget_annotations ON departments;
DROP TRIGGER forget_annotations ON roles;
SELECT annotate_table(kind, 'false') FROM unnest('{users,groups}'::text[]) AS kind;
