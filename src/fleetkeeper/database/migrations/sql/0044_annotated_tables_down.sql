DELETE FROM tagged WHERE object_type IN ('users', 'groups');
DELETE FROM notes WHERE object_type IN ('users', 'groups');
DELETE FROM custom_values WHERE object_type IN ('users', 'groups');
DELETE FROM attachments WHERE object_type IN ('users', 'groups');
DROP TRIGGER forget_annotations ON devices;
DROP TRIGGER forget_annotations ON users;
DROP TRIGGER forget_annotations ON groups;
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT policyname, tablename FROM pg_policies
        WHERE tablename IN ('tagged', 'notes', 'custom_values', 'attachments', 'attachment_parts')
          AND policyname ~ '^(devices|users|groups)_(read|insert|update|delete)$'
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', made.policyname, made.tablename);
    END LOOP;
END
$$;
DROP FUNCTION annotate_table(text, text), forget_annotations();
CREATE POLICY device_read ON tagged FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON tagged FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON tagged FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_read ON notes FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON notes FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_update ON notes FOR UPDATE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON notes FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_read ON custom_values FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON custom_values FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_update ON custom_values FOR UPDATE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON custom_values FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_read ON attachments FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON attachments FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON attachments FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY file_insert ON attachment_parts FOR INSERT TO fleetkeeper_app
    WITH CHECK (attachment_id IN
                (SELECT a.id FROM attachments a JOIN devices d ON d.id = a.object_id
                 WHERE a.object_type = 'devices' AND d.department_id = ANY (changeable_departments())));
