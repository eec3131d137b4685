-- Orders of parts with approval and receipts, and work orders that fit them (document 001).

CREATE TABLE orders (
    id uuid NOT NULL CONSTRAINT pk_orders PRIMARY KEY,
    -- What people call it: PO-2026-0001.
    number varchar(40) NOT NULL CONSTRAINT uq_orders_number UNIQUE,
    -- The request of a device that it serves; one request has one order.
    request_id uuid CONSTRAINT uq_orders_request_id UNIQUE
        CONSTRAINT fk_orders_request_id_device_requests REFERENCES device_requests ON DELETE SET NULL,
    order_type varchar(50) NOT NULL DEFAULT 'purchase'
        CONSTRAINT ck_orders_order_type CHECK (order_type IN ('purchase', 'internal_transfer', 'return')),
    status varchar(50) NOT NULL DEFAULT 'draft' CONSTRAINT ck_orders_status CHECK (status IN
        ('draft', 'pending-approval', 'approved', 'ordered', 'partly-received', 'received', 'cancelled', 'rejected')),
    supplier_id uuid CONSTRAINT fk_orders_supplier_id_suppliers REFERENCES suppliers,
    -- Where goods come to, and where those of a transfer or a return come from.
    deliver_to_id uuid CONSTRAINT fk_orders_deliver_to_id_locations REFERENCES locations,
    from_location_id uuid CONSTRAINT fk_orders_from_location_id_locations REFERENCES locations,
    currency varchar(3) NOT NULL DEFAULT 'EUR',
    -- What one unit of the currency was worth in that of approval rules.
    exchange_rate numeric(18, 8) NOT NULL DEFAULT 1 CONSTRAINT ck_orders_exchange_rate CHECK (exchange_rate > 0),
    expected_delivery_date date,
    notes text NOT NULL DEFAULT '',
    total_price numeric(16, 4) NOT NULL DEFAULT 0,
    created_by uuid CONSTRAINT fk_orders_created_by_users REFERENCES users ON DELETE SET NULL,
    created_by_name varchar(255) NOT NULL DEFAULT '',
    approved_by uuid CONSTRAINT fk_orders_approved_by_users REFERENCES users ON DELETE SET NULL,
    approved_at timestamptz,
    ordered_at timestamptz,
    received_at timestamptz,
    department_id uuid CONSTRAINT fk_orders_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_orders_status ON orders (status, created_at DESC, id);
CREATE INDEX ix_orders_created_at ON orders (created_at DESC, id);
CREATE INDEX ix_orders_created_by ON orders (created_by);
CREATE INDEX ix_orders_approved_by ON orders (approved_by);
CREATE INDEX ix_orders_supplier_id ON orders (supplier_id);
CREATE INDEX ix_orders_deliver_to_id ON orders (deliver_to_id);
CREATE INDEX ix_orders_from_location_id ON orders (from_location_id);
CREATE INDEX ix_orders_department_id ON orders (department_id);

CREATE TABLE order_items (
    id uuid NOT NULL CONSTRAINT pk_order_items PRIMARY KEY,
    order_id uuid NOT NULL CONSTRAINT fk_order_items_order_id_orders REFERENCES orders ON DELETE CASCADE,
    part_id uuid NOT NULL CONSTRAINT fk_order_items_part_id_parts REFERENCES parts,
    variant_id uuid,
    supplier_id uuid CONSTRAINT fk_order_items_supplier_id_suppliers REFERENCES suppliers,
    quantity_ordered numeric(14, 3) NOT NULL CONSTRAINT ck_order_items_quantity_ordered CHECK (quantity_ordered > 0),
    quantity_received numeric(14, 3) NOT NULL DEFAULT 0 CONSTRAINT ck_order_items_quantity_received CHECK (quantity_received >= 0),
    quantity_damaged numeric(14, 3) NOT NULL DEFAULT 0 CONSTRAINT ck_order_items_quantity_damaged CHECK (quantity_damaged >= 0),
    unit_price numeric(14, 4) NOT NULL DEFAULT 0 CONSTRAINT ck_order_items_unit_price CHECK (unit_price >= 0),
    tax_percent numeric(5, 2) NOT NULL DEFAULT 0 CONSTRAINT ck_order_items_tax_percent CHECK (tax_percent BETWEEN 0 AND 100),
    total_price numeric(16, 4) GENERATED ALWAYS AS (round(quantity_ordered * unit_price, 4)) STORED,
    expected_delivery_date date,
    department_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_order_items_part_id_variant_id_part_variants FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id)
);
CREATE INDEX ix_order_items_order_id ON order_items (order_id, id);
CREATE INDEX ix_order_items_part_id ON order_items (part_id);
CREATE INDEX ix_order_items_supplier_id ON order_items (supplier_id);

CREATE TABLE order_history (
    id uuid NOT NULL CONSTRAINT pk_order_history PRIMARY KEY,
    order_id uuid NOT NULL CONSTRAINT fk_order_history_order_id_orders REFERENCES orders ON DELETE CASCADE,
    event_type varchar(100) NOT NULL,
    event_description text NOT NULL DEFAULT '',
    user_id uuid CONSTRAINT fk_order_history_user_id_users REFERENCES users ON DELETE SET NULL,
    user_name varchar(255) NOT NULL DEFAULT '',
    metadata jsonb NOT NULL DEFAULT '{}',
    department_id uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_order_history_order_id ON order_history (order_id, created_at);
CREATE INDEX ix_order_history_event_type ON order_history (event_type);
CREATE INDEX ix_order_history_created_at ON order_history (created_at);
CREATE INDEX ix_order_history_user_id ON order_history (user_id);

CREATE TABLE work_orders (
    id uuid NOT NULL CONSTRAINT pk_work_orders PRIMARY KEY,
    number varchar(40) NOT NULL CONSTRAINT uq_work_orders_number UNIQUE,
    title varchar(255) NOT NULL,
    device_id uuid NOT NULL CONSTRAINT fk_work_orders_device_id_devices REFERENCES devices ON DELETE CASCADE,
    part_id uuid NOT NULL CONSTRAINT fk_work_orders_part_id_parts REFERENCES parts,
    variant_id uuid,
    quantity numeric(14, 3) NOT NULL DEFAULT 1 CONSTRAINT ck_work_orders_quantity CHECK (quantity > 0),
    location_id uuid NOT NULL CONSTRAINT fk_work_orders_location_id_locations REFERENCES locations,
    status varchar(20) NOT NULL DEFAULT 'planned' CONSTRAINT ck_work_orders_status CHECK (status IN ('planned', 'done', 'cancelled')),
    assigned_to uuid CONSTRAINT fk_work_orders_assigned_to_users REFERENCES users ON DELETE SET NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    instructions text NOT NULL DEFAULT '',
    done_at timestamptz,
    done_by_name varchar(255) NOT NULL DEFAULT '',
    order_id uuid CONSTRAINT fk_work_orders_order_id_orders REFERENCES orders ON DELETE SET NULL,
    department_id uuid CONSTRAINT fk_work_orders_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_work_orders_part_id_variant_id_part_variants FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id),
    CONSTRAINT ck_work_orders_window CHECK (ends_at > starts_at)
);
CREATE INDEX ix_work_orders_status ON work_orders (status, starts_at, id);
CREATE INDEX ix_work_orders_device_id ON work_orders (device_id, created_at DESC);
CREATE INDEX ix_work_orders_part_id ON work_orders (part_id);
CREATE INDEX ix_work_orders_location_id ON work_orders (location_id);
CREATE INDEX ix_work_orders_assigned_to ON work_orders (assigned_to, status);
CREATE INDEX ix_work_orders_order_id ON work_orders (order_id);
CREATE INDEX ix_work_orders_department_id ON work_orders (department_id);

-- Numbers of a year without gaps between those that were committed.
CREATE TABLE reference_numbers (
    prefix varchar(20) NOT NULL CONSTRAINT pk_reference_numbers PRIMARY KEY,
    last integer NOT NULL DEFAULT 0
);
ALTER TABLE reference_numbers ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON reference_numbers TO fleetkeeper_app, fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON reference_numbers TO fleetkeeper_app, fleetkeeper_whole_fleet;

-- What belongs to an order belongs to its department, and its total is that of its items.
CREATE FUNCTION take_department_of_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT o.department_id FROM orders o WHERE o.id = NEW.order_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF order_id, department_id ON order_items
    FOR EACH ROW EXECUTE FUNCTION take_department_of_order();
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF order_id, department_id ON order_history
    FOR EACH ROW EXECUTE FUNCTION take_department_of_order();
CREATE FUNCTION give_department_of_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE order_items SET department_id = NEW.department_id WHERE order_id = NEW.id;
    UPDATE order_history SET department_id = NEW.department_id WHERE order_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER give_department AFTER UPDATE OF department_id ON orders
    FOR EACH ROW WHEN (NEW.department_id IS DISTINCT FROM OLD.department_id) EXECUTE FUNCTION give_department_of_order();
CREATE FUNCTION sum_up_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    target uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.order_id ELSE NEW.order_id END;
BEGIN
    UPDATE orders SET total_price = coalesce((SELECT sum(i.total_price + round(i.total_price * i.tax_percent / 100, 4))
                                              FROM order_items i WHERE i.order_id = target), 0)
    WHERE id = target;
    RETURN NULL;
END
$$;
CREATE TRIGGER sum_up AFTER INSERT OR DELETE OR UPDATE OF quantity_ordered, unit_price, tax_percent ON order_items
    FOR EACH ROW EXECUTE FUNCTION sum_up_order();
CREATE FUNCTION take_department_of_device() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT d.department_id FROM devices d WHERE d.id = NEW.device_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF device_id, department_id ON work_orders
    FOR EACH ROW EXECUTE FUNCTION take_department_of_device();
CREATE FUNCTION give_department_of_device_to_work() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE work_orders SET department_id = NEW.department_id WHERE device_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER give_department_to_work AFTER UPDATE OF department_id ON devices
    FOR EACH ROW WHEN (NEW.department_id IS DISTINCT FROM OLD.department_id) EXECUTE FUNCTION give_department_of_device_to_work();

SELECT secure_table(name), secure_readers(name, false) FROM unnest('{orders,order_items,order_history,work_orders}'::text[]) AS name;
-- What happened is only ever added to.
REVOKE UPDATE, DELETE ON order_history FROM fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('orders', '{id}', 'number', NULL, '{updated_at,created_at,version,total_price}');
SELECT audit_table('order_items', '{id}', NULL, NULL, '{created_at,department_id}');
SELECT audit_table('work_orders', '{id}', 'number', 'device_id', '{updated_at,created_at,version,department_id}');
SELECT annotate_table(kind, '(SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[])')
FROM unnest('{orders,work_orders}'::text[]) AS kind;

-- Who has to decide on a subject is asked on its page.
CREATE INDEX ix_approval_requests_subject ON approval_requests (subject_id, subject_type);

-- Who decided on an order, by level from 1 on; document 001's name.
CREATE VIEW order_approvals WITH (security_invoker = true) AS
SELECT d.id, o.id AS order_id, d.user_id AS approver_id, d.level + 1 AS approval_level,
    CASE d.decision WHEN 'approve' THEN 'approved' ELSE 'rejected' END AS status, d.comment AS notes,
    d.decided_at AS decision_at, r.requested_at AS created_at
FROM orders o
JOIN approval_requests r ON r.subject_type = 'orders' AND r.subject_id = o.id::text
JOIN approval_decisions d ON d.request_id = r.id
UNION ALL
SELECT r.id, o.id, substr(w.who, 6)::uuid, coalesce(r.open_levels[1], 0) + 1, 'pending', '', NULL, r.requested_at
FROM orders o
JOIN approval_requests r ON r.subject_type = 'orders' AND r.subject_id = o.id::text AND r.status = 'pending'
CROSS JOIN unnest(r.waits_for) AS w(who)
WHERE w.who LIKE 'user:%';
-- Readers of SQL see of requests what this view tells, of the orders that they see.
GRANT SELECT (id, subject_type, subject_id, requested_at, status, waits_for, open_levels) ON approval_requests TO dashboard_readonly, analyst;
GRANT SELECT (id, request_id, level, user_id, decision, comment, decided_at) ON approval_decisions TO dashboard_readonly, analyst;
CREATE POLICY reader_of_orders ON approval_requests FOR SELECT TO dashboard_readonly, analyst
    USING (subject_type = 'orders' AND subject_id IN (SELECT id::text FROM orders));
CREATE POLICY reader_of_orders ON approval_decisions FOR SELECT TO dashboard_readonly, analyst
    USING (request_id IN (SELECT id FROM approval_requests));
GRANT SELECT ON order_approvals TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'orders:read'), ('admin', 'orders:write'), ('manager', 'orders:read'), ('manager', 'orders:write'),
    ('operator', 'orders:read'), ('operator', 'orders:write'), ('viewer', 'orders:read'), ('analyst', 'orders:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
