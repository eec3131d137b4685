-- Channels, rules, events and custom fields are seen where their reader may do anything, whether or not they see devices.
DROP POLICY department ON notification_channels;
DROP POLICY department ON notification_rules;
DROP POLICY department ON notification_events;
DROP POLICY department ON custom_fields;
CREATE POLICY department ON notification_channels TO fleetkeeper_app
    USING ((SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]))
    WITH CHECK ((SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]));
CREATE POLICY department ON notification_rules TO fleetkeeper_app
    USING ((SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]))
    WITH CHECK ((SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]));
CREATE POLICY department ON notification_events FOR SELECT TO fleetkeeper_app
    USING ((SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]));
CREATE POLICY department ON custom_fields TO fleetkeeper_app
    USING (department_id IS NULL OR (SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]))
    WITH CHECK (department_id IS NULL OR (SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[]));
