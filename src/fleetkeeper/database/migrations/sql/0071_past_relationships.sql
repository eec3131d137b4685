-- A relationship tells of the device at its other end, in its past, too.
CREATE POLICY both_ends ON device_revisions AS RESTRICTIVE FOR SELECT TO dashboard_readonly, analyst
    USING (object_type <> 'device_relationships' OR content IS NULL
           OR ((content ->> 'parent_device_id')::uuid IN (SELECT id FROM devices) AND (content ->> 'child_device_id')::uuid IN (SELECT id FROM devices)));
