DELETE FROM role_permissions WHERE permission IN ('orders:read', 'orders:write');
DROP VIEW order_approvals;
DROP INDEX ix_approval_requests_subject;
DROP POLICY reader_of_orders ON approval_requests;
DROP POLICY reader_of_orders ON approval_decisions;
REVOKE SELECT (id, subject_type, subject_id, requested_at, status, waits_for, open_levels) ON approval_requests FROM dashboard_readonly, analyst;
REVOKE SELECT (id, request_id, level, user_id, decision, comment, decided_at) ON approval_decisions FROM dashboard_readonly, analyst;
DELETE FROM tagged WHERE object_type IN ('orders', 'work_orders');
DELETE FROM notes WHERE object_type IN ('orders', 'work_orders');
DELETE FROM custom_values WHERE object_type IN ('orders', 'work_orders');
DELETE FROM attachments WHERE object_type IN ('orders', 'work_orders');
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT policyname, tablename FROM pg_policies
        WHERE tablename IN ('tagged', 'notes', 'custom_values', 'attachments', 'attachment_parts')
          AND policyname ~ '^(orders|work_orders)_(read|insert|update|delete)$'
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', made.policyname, made.tablename);
    END LOOP;
END
$$;
DROP TRIGGER give_department_to_work ON devices;
DROP TABLE reference_numbers, work_orders, order_history, order_items, orders;
DROP FUNCTION take_department_of_order(), give_department_of_order(), sum_up_order(), take_department_of_device(),
    give_department_of_device_to_work(), audit_orders(), audit_order_items(), audit_work_orders();
