"""A made-up supply in SQL: requests of devices, stock in depots, prices of suppliers, orders with their approvals."""

from bench.options import Options
from bench.server import Server

SUPPLIERS = 10
LEVELS = 5
REQUESTS_PER_DEVICE = 1000

# Triggers would sum up, number and audit row by row; what follows from the rows is inserted here instead.
_DATA = """
SET session_replication_role = replica;
INSERT INTO devices (id, name, hostname, device_type)
SELECT md5('truck ' || n)::uuid, 'truck-' || lpad(n::text, 5, '0'), 'truck-' || lpad(n::text, 5, '0'), 'vehicle'
FROM generate_series(0, greatest({requests} / {each}, 1) - 1) AS n;
INSERT INTO device_requests (id, device_id, request_type, status, payload, payload_hash, created_at, updated_at)
SELECT gen_random_uuid(), md5('truck ' || n % greatest({requests} / {each}, 1))::uuid,
    (ARRAY['get_parts', 'get_manual', 'report_fault', 'ping'])[1 + n % 4],
    CASE WHEN n / greatest({requests} / {each}, 1) % 20 = 0 THEN 'pending'
        WHEN n % 50 = 1 THEN 'failed' ELSE 'completed' END,
    jsonb_build_object('slot', n % 8, 'number', n), md5('payload ' || n) || md5('more ' || n),
    now() - n * interval '7 seconds', now()
FROM generate_series(0, {requests} - 1) AS n;
INSERT INTO locations (id, name, location_type)
SELECT md5('depot ' || n)::uuid, 'Depot ' || lpad(n::text, 3, '0'), 'depot'
FROM generate_series(0, {locations} - 1) AS n;
INSERT INTO parts (id, part_code, name, category)
SELECT md5('part ' || n)::uuid, 'P-' || lpad(n::text, 6, '0'), 'Part ' || n, 'Kind ' || n % 40
FROM generate_series(0, {parts} - 1) AS n;
INSERT INTO part_variants (id, part_id, variant_code)
SELECT md5('variant ' || n)::uuid, md5('part ' || n)::uuid, 'V1' FROM generate_series(0, {parts} - 1) AS n;
INSERT INTO inventory (id, part_id, location_id, quantity_on_hand, quantity_reserved, reorder_point)
SELECT gen_random_uuid(), md5('part ' || p)::uuid, md5('depot ' || d)::uuid, (p * 7 + d) % 100, 0,
    CASE WHEN p % 3 = 0 THEN 5 END
FROM generate_series(0, {parts} - 1) AS p, generate_series(0, {locations} - 1) AS d;
INSERT INTO suppliers (id, name, lead_time_days, is_active)
SELECT md5('supplier ' || n)::uuid, 'Supplier ' || n, n, true FROM generate_series(0, {suppliers} - 1) AS n;
INSERT INTO part_suppliers (id, part_id, variant_id, supplier_id, supplier_cost, is_preferred)
SELECT gen_random_uuid(), md5('part ' || p)::uuid, md5('variant ' || p)::uuid, md5('supplier ' || s)::uuid,
    10 + (p + s * 3) % 17, s = p % 50
FROM generate_series(0, {parts} - 1) AS p, generate_series(0, {suppliers} - 1) AS s;
INSERT INTO users (id, username, name, email)
SELECT md5('approver ' || n)::uuid, 'approver-' || n, 'Approver ' || n, 'approver-' || n || '@bench.example'
FROM generate_series(0, {levels} - 1) AS n;
INSERT INTO orders (id, number, status, supplier_id, deliver_to_id, total_price, created_at)
SELECT md5('order ' || n)::uuid, 'PO-2026-' || lpad(n::text, 7, '0'), 'received',
    md5('supplier ' || n % {suppliers})::uuid, md5('depot ' || n % {locations})::uuid, n % 5000,
    now() - n * interval '5 minutes'
FROM generate_series(0, {orders} - 1) AS n;
INSERT INTO approval_requests (id, kind, subject_type, subject_id, subject_label, payload, digest, amount,
    requester_name, reason, rule, status, approvers, waits_for, open_levels, requested_at, expires_at)
SELECT md5('asked ' || n)::uuid, 'orders.approve', 'orders', md5('order ' || n)::uuid::text, 'PO-2026-' || n, '{{}}',
    md5(n::text), n % 5000, 'Bench', 'Stock', '{{}}', 'applied', '{{}}', '{{}}', '{{}}',
    now() - n * interval '5 minutes', now()
FROM generate_series(0, {orders} - 1) AS n;
INSERT INTO approval_decisions (id, request_id, level, user_id, user_name, decision, decided_at)
SELECT gen_random_uuid(), md5('asked ' || n)::uuid, l, md5('approver ' || l)::uuid, 'Approver ' || l, 'approve', now()
FROM generate_series(0, {orders} - 1) AS n, generate_series(0, {levels} - 1) AS l;
VACUUM ANALYZE;
"""


def insert_supply(server: Server, options: Options) -> None:
    """Insert all of it."""
    server.sql(
        _DATA.format(
            requests=options.requests,
            each=REQUESTS_PER_DEVICE,
            locations=options.locations,
            parts=options.parts,
            suppliers=SUPPLIERS,
            orders=options.orders,
            levels=LEVELS,
        )
    )
