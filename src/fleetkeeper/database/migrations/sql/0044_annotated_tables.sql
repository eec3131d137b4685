-- Annotations go with their objects, however those are deleted.
CREATE FUNCTION forget_annotations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM tagged WHERE object_type = TG_TABLE_NAME AND object_id IN (SELECT id FROM gone);
    DELETE FROM notes WHERE object_type = TG_TABLE_NAME AND object_id IN (SELECT id FROM gone);
    DELETE FROM custom_values WHERE object_type = TG_TABLE_NAME AND object_id IN (SELECT id FROM gone);
    DELETE FROM attachments WHERE object_type = TG_TABLE_NAME AND object_id IN (SELECT id FROM gone);
    RETURN NULL;
END
$$;

-- Lets rows of a table have annotations. Who is limited to departments sees those of the rows that they see, and
-- changes those of the rows for which `writable` is true. Called by the migration of the room that owns the table.
CREATE FUNCTION annotate_table(object_table text, writable text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seen text := format('object_type = %L AND object_id IN (SELECT id FROM %I)', object_table, object_table);
    changed text := format('object_type = %L AND object_id IN (SELECT id FROM %I WHERE %s)', object_table, object_table, writable);
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['tagged', 'notes', 'custom_values', 'attachments'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO fleetkeeper_app USING (%s)', object_table || '_read', target, seen);
        EXECUTE format('CREATE POLICY %I ON %I FOR INSERT TO fleetkeeper_app WITH CHECK (%s)', object_table || '_insert', target, changed);
        EXECUTE format('CREATE POLICY %I ON %I FOR DELETE TO fleetkeeper_app USING (%s)', object_table || '_delete', target, changed);
    END LOOP;
    FOREACH target IN ARRAY ARRAY['notes', 'custom_values'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE TO fleetkeeper_app USING (%s)', object_table || '_update', target, changed);
    END LOOP;
    EXECUTE format('CREATE POLICY %I ON attachment_parts FOR INSERT TO fleetkeeper_app WITH CHECK '
                   '(attachment_id IN (SELECT id FROM attachments WHERE %s))', object_table || '_insert', changed);
    EXECUTE format('CREATE TRIGGER forget_annotations AFTER DELETE ON %I REFERENCING OLD TABLE AS gone '
                   'FOR EACH STATEMENT EXECUTE FUNCTION forget_annotations()', object_table);
END
$$;
REVOKE EXECUTE ON FUNCTION forget_annotations(), annotate_table(text, text) FROM PUBLIC;

DROP POLICY device_read ON tagged;
DROP POLICY device_insert ON tagged;
DROP POLICY device_delete ON tagged;
DROP POLICY device_read ON notes;
DROP POLICY device_insert ON notes;
DROP POLICY device_update ON notes;
DROP POLICY device_delete ON notes;
DROP POLICY device_read ON custom_values;
DROP POLICY device_insert ON custom_values;
DROP POLICY device_update ON custom_values;
DROP POLICY device_delete ON custom_values;
DROP POLICY device_read ON attachments;
DROP POLICY device_insert ON attachments;
DROP POLICY device_delete ON attachments;
DROP POLICY file_insert ON attachment_parts;
SELECT annotate_table('devices', 'department_id = ANY (changeable_departments())');
-- Users and groups belong to no department.
SELECT annotate_table('users', 'false');
SELECT annotate_table('groups', 'false');
