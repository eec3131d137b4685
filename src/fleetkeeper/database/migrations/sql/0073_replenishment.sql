-- Order proposals: what to order for which location, and why (document 001's inventory.reorder_point and part_consumption).

CREATE TABLE order_proposals (
    id uuid NOT NULL CONSTRAINT pk_order_proposals PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_order_proposals_part_id_parts REFERENCES parts ON DELETE CASCADE,
    variant_id uuid,
    location_id uuid NOT NULL CONSTRAINT fk_order_proposals_location_id_locations REFERENCES locations ON DELETE CASCADE,
    -- Null where nobody is known to sell it.
    supplier_id uuid CONSTRAINT fk_order_proposals_supplier_id_suppliers REFERENCES suppliers ON DELETE SET NULL,
    quantity numeric(14, 3) NOT NULL CONSTRAINT ck_order_proposals_quantity CHECK (quantity > 0),
    unit_price numeric(14, 4),
    currency varchar(3),
    -- What it rests on.
    reorder_point numeric(14, 3) NOT NULL,
    available numeric(14, 3) NOT NULL,
    on_order numeric(14, 3) NOT NULL,
    reasons jsonb NOT NULL DEFAULT '[]',
    status varchar(20) NOT NULL DEFAULT 'open'
        CONSTRAINT ck_order_proposals_status CHECK (status IN ('open', 'ordered', 'dismissed', 'outdated')),
    order_id uuid CONSTRAINT fk_order_proposals_order_id_orders REFERENCES orders ON DELETE SET NULL,
    dismissed_until timestamptz,
    told_at timestamptz,
    -- Follows from the location.
    department_id uuid CONSTRAINT fk_order_proposals_department_id_departments REFERENCES departments,
    made_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT fk_order_proposals_part_id_variant_id_part_variants
        FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id) ON DELETE CASCADE
);
-- However many runs look at once, a part has one open proposal at a location.
CREATE UNIQUE INDEX uq_order_proposals_open ON order_proposals (part_id, variant_id, location_id) NULLS NOT DISTINCT
    WHERE status = 'open';
CREATE INDEX ix_order_proposals_dismissed ON order_proposals (part_id, dismissed_until) WHERE status = 'dismissed';
CREATE INDEX ix_order_proposals_made_at ON order_proposals (made_at DESC, id);
CREATE INDEX ix_order_proposals_status ON order_proposals (status, made_at DESC, id);
CREATE INDEX ix_order_proposals_part_id ON order_proposals (part_id);
CREATE INDEX ix_order_proposals_location_id ON order_proposals (location_id);
CREATE INDEX ix_order_proposals_supplier_id ON order_proposals (supplier_id);
CREATE INDEX ix_order_proposals_order_id ON order_proposals (order_id);
CREATE INDEX ix_order_proposals_department_id ON order_proposals (department_id);

CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF location_id, department_id ON order_proposals
    FOR EACH ROW EXECUTE FUNCTION take_department_of_location();
CREATE FUNCTION give_department_of_location_to_proposals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE order_proposals SET department_id = NEW.department_id WHERE location_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER give_department_to_proposals AFTER UPDATE OF department_id ON locations
    FOR EACH ROW WHEN (NEW.department_id IS DISTINCT FROM OLD.department_id)
    EXECUTE FUNCTION give_department_of_location_to_proposals();

SELECT secure_table('order_proposals');
SELECT audit_table('order_proposals', '{id}', NULL, NULL,
                   '{updated_at,version,available,on_order,reorder_point,reasons,told_at,department_id}');

-- What comes to these places by orders that are not finished: sums alone, so that who sees a place sees the same as the nightly
-- job, whatever department the order is of.
CREATE FUNCTION stock_on_order(places uuid[]) RETURNS TABLE (place_id uuid, quantity numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.id, sum(greatest(i.quantity_ordered - i.quantity_received, 0))
    FROM inventory v
    JOIN order_items i ON i.part_id = v.part_id AND i.variant_id IS NOT DISTINCT FROM v.variant_id
    JOIN orders o ON o.id = i.order_id AND o.deliver_to_id = v.location_id
    WHERE v.id = ANY (places) AND o.order_type IN ('purchase', 'internal_transfer')
      AND o.status IN ('draft', 'pending-approval', 'approved', 'ordered', 'partly-received')
    GROUP BY v.id
$$;
-- What the last 50 deliveries of these suppliers took, in days: counts, medians and deviations alone, for the same reason.
CREATE FUNCTION supplier_deliveries(known uuid[])
RETURNS TABLE (supplier_id uuid, deliveries bigint, median_days double precision, deviation_days double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY r.took), coalesce(stddev_samp(r.took), 0)
    FROM unnest(known) AS s(id)
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM o.received_at - o.ordered_at)::double precision / 86400 AS took
        FROM orders o
        WHERE o.supplier_id = s.id AND o.status = 'received' AND o.ordered_at IS NOT NULL AND o.received_at IS NOT NULL
        ORDER BY o.received_at DESC LIMIT 50
    ) AS r
    GROUP BY s.id
$$;
REVOKE EXECUTE ON FUNCTION stock_on_order(uuid[]), supplier_deliveries(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stock_on_order(uuid[]), supplier_deliveries(uuid[]) TO fleetkeeper_app, fleetkeeper_whole_fleet;
