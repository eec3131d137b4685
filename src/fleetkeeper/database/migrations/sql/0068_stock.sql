-- Supply: parts and their variants, suppliers and their prices, stock by location, and each movement of it (document 001).

-- Documents 001 and 003 share the places; goods lie in these kinds, too.
ALTER TABLE locations DROP CONSTRAINT ck_locations_location_type;
ALTER TABLE locations ADD CONSTRAINT ck_locations_location_type CHECK (location_type IN
    ('region', 'site', 'building', 'floor', 'room', 'rack', 'depot', 'warehouse', 'store', 'garage', 'vehicle', 'other'));

-- Lets readers of SQL see what belongs to their departments, and what belongs to nobody where that is shared. Called by migrations.
CREATE FUNCTION secure_readers(target text, is_shared boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    shared text := CASE WHEN is_shared THEN ' OR department_id IS NULL' ELSE '' END;
BEGIN
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO dashboard_readonly, analyst USING ((SELECT reader_sees_all()) '
                   'OR department_id = ANY ((SELECT reader_departments())::uuid[])%s)', target, shared);
    EXECUTE format('GRANT SELECT ON %I TO dashboard_readonly, analyst', target);
    IF is_shared THEN
        EXECUTE format('CREATE POLICY shared ON %I FOR SELECT TO fleetkeeper_app USING (department_id IS NULL)', target);
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION secure_readers(text, boolean) FROM PUBLIC;

CREATE TABLE parts (
    id uuid NOT NULL CONSTRAINT pk_parts PRIMARY KEY,
    part_code varchar(50) NOT NULL,
    name varchar(255) NOT NULL,
    description text NOT NULL DEFAULT '',
    -- A path in the tree of categories, such as Memory/DDR4.
    category varchar(100) NOT NULL DEFAULT '',
    unit_of_measure varchar(20) NOT NULL DEFAULT 'unit',
    is_serialized boolean NOT NULL DEFAULT false,
    has_lots boolean NOT NULL DEFAULT false,
    -- What the part is in a machine, once it is fitted; null: nothing that a machine lists.
    component_kind varchar(30),
    fits_device_types varchar(30)[] NOT NULL DEFAULT '{}',
    fits_models varchar(300)[] NOT NULL DEFAULT '{}',
    replaced_by_id uuid CONSTRAINT fk_parts_replaced_by_id_parts REFERENCES parts,
    is_active boolean NOT NULL DEFAULT true,
    department_id uuid CONSTRAINT fk_parts_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_parts_department_id_part_code UNIQUE NULLS NOT DISTINCT (department_id, part_code),
    CONSTRAINT ck_parts_replaced_by_another CHECK (replaced_by_id <> id)
);
CREATE INDEX ix_parts_part_code ON parts (part_code, id);
CREATE INDEX ix_parts_name ON parts (name, id);
CREATE INDEX ix_parts_category ON parts (category, part_code, id);
CREATE INDEX ix_parts_is_active ON parts (is_active, part_code, id);
CREATE INDEX ix_parts_replaced_by_id ON parts (replaced_by_id) WHERE replaced_by_id IS NOT NULL;

CREATE TABLE part_variants (
    id uuid NOT NULL CONSTRAINT pk_part_variants PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_part_variants_part_id_parts REFERENCES parts ON DELETE CASCADE,
    variant_code varchar(50) NOT NULL,
    variant_name varchar(255) NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}',
    cost_per_unit numeric(14, 4) CONSTRAINT ck_part_variants_cost_per_unit CHECK (cost_per_unit >= 0),
    retail_price numeric(14, 4) CONSTRAINT ck_part_variants_retail_price CHECK (retail_price >= 0),
    currency varchar(3) NOT NULL DEFAULT 'EUR',
    is_available boolean NOT NULL DEFAULT true,
    -- Follows from the part.
    department_id uuid CONSTRAINT fk_part_variants_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_part_variants_part_id_variant_code UNIQUE (part_id, variant_code),
    -- What names a variant beside its part names one of that part.
    CONSTRAINT uq_part_variants_part_id_id UNIQUE (part_id, id)
);
CREATE INDEX ix_part_variants_variant_code ON part_variants (variant_code, id);
CREATE INDEX ix_part_variants_is_available ON part_variants (is_available);
CREATE INDEX ix_part_variants_department_id ON part_variants (department_id);

CREATE TABLE suppliers (
    id uuid NOT NULL CONSTRAINT pk_suppliers PRIMARY KEY,
    name varchar(255) NOT NULL,
    contact_name varchar(255) NOT NULL DEFAULT '',
    contact_email varchar(255),
    contact_phone varchar(20),
    website varchar(255),
    address text NOT NULL DEFAULT '',
    notes text NOT NULL DEFAULT '',
    -- What it promises; what it keeps is measured from receipts.
    lead_time_days integer CONSTRAINT ck_suppliers_lead_time_days CHECK (lead_time_days BETWEEN 0 AND 3650),
    measured_lead_time_days numeric(8, 2),
    currency varchar(3) NOT NULL DEFAULT 'EUR',
    minimum_order_value numeric(14, 4) CONSTRAINT ck_suppliers_minimum_order_value CHECK (minimum_order_value >= 0),
    is_preferred boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    department_id uuid CONSTRAINT fk_suppliers_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_suppliers_department_id_name UNIQUE NULLS NOT DISTINCT (department_id, name)
);
CREATE INDEX ix_suppliers_name ON suppliers (name, id);
CREATE INDEX ix_suppliers_is_preferred ON suppliers (is_preferred);
CREATE INDEX ix_suppliers_is_active ON suppliers (is_active);

CREATE TABLE part_suppliers (
    id uuid NOT NULL CONSTRAINT pk_part_suppliers PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_part_suppliers_part_id_parts REFERENCES parts ON DELETE CASCADE,
    variant_id uuid,
    supplier_id uuid NOT NULL CONSTRAINT fk_part_suppliers_supplier_id_suppliers REFERENCES suppliers ON DELETE CASCADE,
    sku varchar(100),
    supplier_cost numeric(14, 4) CONSTRAINT ck_part_suppliers_supplier_cost CHECK (supplier_cost >= 0),
    currency varchar(3) NOT NULL DEFAULT 'EUR',
    -- Cheaper from a quantity on: [{"quantity": "10", "price": "8.50"}], by quantity.
    price_breaks jsonb NOT NULL DEFAULT '[]',
    pack_size numeric(14, 3) NOT NULL DEFAULT 1 CONSTRAINT ck_part_suppliers_pack_size CHECK (pack_size > 0),
    lead_time_days integer CONSTRAINT ck_part_suppliers_lead_time_days CHECK (lead_time_days BETWEEN 0 AND 3650),
    minimum_order_qty numeric(14, 3) NOT NULL DEFAULT 1 CONSTRAINT ck_part_suppliers_minimum_order_qty CHECK (minimum_order_qty > 0),
    is_preferred boolean NOT NULL DEFAULT false,
    department_id uuid CONSTRAINT fk_part_suppliers_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_part_suppliers_part_id_variant_id_part_variants
        FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_part_suppliers_offer UNIQUE NULLS NOT DISTINCT (part_id, variant_id, supplier_id, department_id)
);
CREATE INDEX ix_part_suppliers_best ON part_suppliers (part_id, variant_id, is_preferred DESC, supplier_cost);
CREATE INDEX ix_part_suppliers_supplier_id ON part_suppliers (supplier_id, id);
CREATE INDEX ix_part_suppliers_sku ON part_suppliers (sku) WHERE sku IS NOT NULL;
CREATE INDEX ix_part_suppliers_department_id ON part_suppliers (department_id);

-- What a price was from when on: a row for each change.
CREATE TABLE part_prices (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_part_prices PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_part_prices_part_id_parts REFERENCES parts ON DELETE CASCADE,
    variant_id uuid,
    supplier_id uuid CONSTRAINT fk_part_prices_supplier_id_suppliers REFERENCES suppliers ON DELETE SET NULL,
    -- `cost`, `retail` or `supplier`.
    kind varchar(10) NOT NULL,
    price numeric(14, 4),
    currency varchar(3) NOT NULL,
    department_id uuid,
    since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_part_prices_part_id ON part_prices (part_id, since DESC);
CREATE INDEX ix_part_prices_supplier_id ON part_prices (supplier_id);

CREATE TABLE inventory (
    id uuid NOT NULL CONSTRAINT pk_inventory PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_inventory_part_id_parts REFERENCES parts,
    variant_id uuid,
    location_id uuid NOT NULL CONSTRAINT fk_inventory_location_id_locations REFERENCES locations,
    -- The sum of the movements, kept by the database.
    quantity_on_hand numeric(14, 3) NOT NULL DEFAULT 0 CONSTRAINT ck_inventory_on_hand CHECK (quantity_on_hand >= 0),
    -- The sum of the reservations, kept by the database.
    quantity_reserved numeric(14, 3) NOT NULL DEFAULT 0,
    quantity_available numeric(14, 3) GENERATED ALWAYS AS (quantity_on_hand - quantity_reserved) STORED,
    reorder_point numeric(14, 3) CONSTRAINT ck_inventory_reorder_point CHECK (reorder_point >= 0),
    reorder_quantity numeric(14, 3) CONSTRAINT ck_inventory_reorder_quantity CHECK (reorder_quantity > 0),
    last_counted_at timestamptz,
    last_updated_at timestamptz NOT NULL DEFAULT now(),
    -- Since when it is low and people were told of it.
    told_low_at timestamptz,
    -- Follows from the location.
    department_id uuid CONSTRAINT fk_inventory_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT fk_inventory_part_id_variant_id_part_variants FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id),
    CONSTRAINT uq_inventory_place UNIQUE NULLS NOT DISTINCT (part_id, variant_id, location_id),
    CONSTRAINT ck_inventory_reserved CHECK (quantity_reserved BETWEEN 0 AND quantity_on_hand)
);
CREATE INDEX ix_inventory_location_id ON inventory (location_id, quantity_available);
CREATE INDEX ix_inventory_quantity_available ON inventory (quantity_available, id);
CREATE INDEX ix_inventory_low ON inventory (location_id, quantity_available) WHERE quantity_available <= reorder_point;
CREATE INDEX ix_inventory_reorder_point ON inventory (reorder_point) WHERE reorder_point IS NOT NULL;
CREATE INDEX ix_inventory_department_id ON inventory (department_id);

-- Each change of stock, for good: a mistake is put right by another movement.
CREATE TABLE stock_movements (
    id uuid NOT NULL CONSTRAINT pk_stock_movements PRIMARY KEY,
    kind varchar(20) NOT NULL CONSTRAINT ck_stock_movements_kind CHECK (kind IN
        ('receipt', 'issue', 'transfer', 'adjustment', 'count', 'return', 'scrap', 'consumption')),
    part_id uuid NOT NULL CONSTRAINT fk_stock_movements_part_id_parts REFERENCES parts,
    variant_id uuid,
    location_id uuid NOT NULL CONSTRAINT fk_stock_movements_location_id_locations REFERENCES locations,
    -- More than 0 what comes, less what goes.
    quantity numeric(14, 3) NOT NULL CONSTRAINT ck_stock_movements_quantity CHECK (quantity <> 0),
    serials varchar(100)[] NOT NULL DEFAULT '{}',
    lot varchar(100),
    expires_on date,
    unit_cost numeric(14, 4),
    currency varchar(3),
    -- Joins the two halves of a transfer.
    transfer_id uuid,
    device_id uuid CONSTRAINT fk_stock_movements_device_id_devices REFERENCES devices ON DELETE SET NULL,
    device_name varchar(255) NOT NULL DEFAULT '',
    -- What it was done for, such as an order's line.
    purpose_type varchar(40) NOT NULL DEFAULT '',
    purpose_id uuid,
    reason varchar(500) NOT NULL DEFAULT '',
    moved_by uuid CONSTRAINT fk_stock_movements_moved_by_users REFERENCES users ON DELETE SET NULL,
    moved_by_name varchar(255) NOT NULL DEFAULT '',
    moved_at timestamptz NOT NULL DEFAULT now(),
    department_id uuid,
    CONSTRAINT fk_stock_movements_part_id_variant_id_part_variants FOREIGN KEY (part_id, variant_id) REFERENCES part_variants (part_id, id)
);
CREATE INDEX ix_stock_movements_moved_at ON stock_movements (moved_at DESC, id);
CREATE INDEX ix_stock_movements_part_id ON stock_movements (part_id, moved_at DESC);
CREATE INDEX ix_stock_movements_location_id ON stock_movements (location_id, moved_at DESC);
CREATE INDEX ix_stock_movements_device_id ON stock_movements (device_id, moved_at DESC) WHERE device_id IS NOT NULL;
CREATE INDEX ix_stock_movements_purpose_id ON stock_movements (purpose_id) WHERE purpose_id IS NOT NULL;
CREATE INDEX ix_stock_movements_moved_by ON stock_movements (moved_by);
CREATE INDEX ix_stock_movements_consumption ON stock_movements (part_id, moved_at) WHERE kind = 'consumption';
CREATE INDEX ix_stock_movements_department_id ON stock_movements (department_id, moved_at DESC);

CREATE TABLE stock_reservations (
    id uuid NOT NULL CONSTRAINT pk_stock_reservations PRIMARY KEY,
    inventory_id uuid NOT NULL CONSTRAINT fk_stock_reservations_inventory_id_inventory REFERENCES inventory,
    quantity numeric(14, 3) NOT NULL CONSTRAINT ck_stock_reservations_quantity CHECK (quantity > 0),
    purpose_type varchar(40) NOT NULL DEFAULT '',
    purpose_id uuid,
    purpose varchar(255) NOT NULL DEFAULT '',
    reserved_by uuid CONSTRAINT fk_stock_reservations_reserved_by_users REFERENCES users ON DELETE SET NULL,
    reserved_by_name varchar(255) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    department_id uuid
);
CREATE INDEX ix_stock_reservations_inventory_id ON stock_reservations (inventory_id);
CREATE INDEX ix_stock_reservations_purpose_id ON stock_reservations (purpose_id) WHERE purpose_id IS NOT NULL;
CREATE INDEX ix_stock_reservations_reserved_by ON stock_reservations (reserved_by);
CREATE INDEX ix_stock_reservations_department_id ON stock_reservations (department_id);

-- A piece that is known by its number, wherever it is now.
CREATE TABLE stock_serials (
    id uuid NOT NULL CONSTRAINT pk_stock_serials PRIMARY KEY,
    part_id uuid NOT NULL CONSTRAINT fk_stock_serials_part_id_parts REFERENCES parts,
    variant_id uuid,
    serial varchar(100) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'in_stock' CONSTRAINT ck_stock_serials_status CHECK (status IN ('in_stock', 'fitted', 'issued', 'scrapped')),
    location_id uuid CONSTRAINT fk_stock_serials_location_id_locations REFERENCES locations,
    device_id uuid CONSTRAINT fk_stock_serials_device_id_devices REFERENCES devices ON DELETE SET NULL,
    lot varchar(100),
    expires_on date,
    movement_id uuid NOT NULL CONSTRAINT fk_stock_serials_movement_id_stock_movements REFERENCES stock_movements,
    department_id uuid CONSTRAINT fk_stock_serials_department_id_departments REFERENCES departments,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_stock_serials_part_id_serial UNIQUE (part_id, serial),
    CONSTRAINT ck_stock_serials_place CHECK ((status = 'in_stock') = (location_id IS NOT NULL))
);
CREATE INDEX ix_stock_serials_serial ON stock_serials (serial);
CREATE INDEX ix_stock_serials_location_id ON stock_serials (location_id, part_id) WHERE location_id IS NOT NULL;
CREATE INDEX ix_stock_serials_device_id ON stock_serials (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX ix_stock_serials_movement_id ON stock_serials (movement_id);
CREATE INDEX ix_stock_serials_department_id ON stock_serials (department_id);

CREATE TABLE stock_counts (
    id uuid NOT NULL CONSTRAINT pk_stock_counts PRIMARY KEY,
    name varchar(100) NOT NULL,
    location_id uuid NOT NULL CONSTRAINT fk_stock_counts_location_id_locations REFERENCES locations,
    status varchar(20) NOT NULL DEFAULT 'open' CONSTRAINT ck_stock_counts_status CHECK (status IN ('open', 'booked', 'cancelled')),
    closed_at timestamptz,
    department_id uuid CONSTRAINT fk_stock_counts_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_stock_counts_location_id ON stock_counts (location_id);
CREATE INDEX ix_stock_counts_department_id ON stock_counts (department_id);
CREATE INDEX ix_stock_counts_created_at ON stock_counts (created_at DESC, id);

CREATE TABLE stock_count_lines (
    id uuid NOT NULL CONSTRAINT pk_stock_count_lines PRIMARY KEY,
    count_id uuid NOT NULL CONSTRAINT fk_stock_count_lines_count_id_stock_counts REFERENCES stock_counts ON DELETE CASCADE,
    part_id uuid NOT NULL CONSTRAINT fk_stock_count_lines_part_id_parts REFERENCES parts,
    variant_id uuid,
    -- What was on hand when it was counted.
    expected numeric(14, 3) NOT NULL DEFAULT 0,
    counted numeric(14, 3) NOT NULL CONSTRAINT ck_stock_count_lines_counted CHECK (counted >= 0),
    variance numeric(14, 3) GENERATED ALWAYS AS (counted - expected) STORED,
    counted_by_name varchar(255) NOT NULL DEFAULT '',
    counted_at timestamptz NOT NULL DEFAULT now(),
    department_id uuid,
    CONSTRAINT uq_stock_count_lines_part UNIQUE NULLS NOT DISTINCT (count_id, part_id, variant_id)
);
CREATE INDEX ix_stock_count_lines_part_id ON stock_count_lines (part_id);

-- What belongs to a part or a place belongs to its department.
CREATE FUNCTION take_department_of_part() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT p.department_id FROM parts p WHERE p.id = NEW.part_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF part_id, department_id ON part_variants
    FOR EACH ROW EXECUTE FUNCTION take_department_of_part();
CREATE FUNCTION give_department_of_part() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE part_variants SET department_id = NEW.department_id WHERE part_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER give_department AFTER UPDATE OF department_id ON parts
    FOR EACH ROW WHEN (NEW.department_id IS DISTINCT FROM OLD.department_id) EXECUTE FUNCTION give_department_of_part();

CREATE FUNCTION take_department_of_location() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT l.department_id FROM locations l WHERE l.id = NEW.location_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF location_id, department_id ON inventory
    FOR EACH ROW EXECUTE FUNCTION take_department_of_location();
CREATE TRIGGER take_department BEFORE INSERT ON stock_movements FOR EACH ROW EXECUTE FUNCTION take_department_of_location();
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF location_id, department_id ON stock_counts
    FOR EACH ROW EXECUTE FUNCTION take_department_of_location();
CREATE FUNCTION give_department_of_location() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE inventory SET department_id = NEW.department_id WHERE location_id = NEW.id;
    UPDATE stock_reservations r SET department_id = NEW.department_id FROM inventory i WHERE i.id = r.inventory_id AND i.location_id = NEW.id;
    UPDATE stock_movements SET department_id = NEW.department_id WHERE location_id = NEW.id;
    UPDATE stock_serials SET department_id = NEW.department_id WHERE location_id = NEW.id;
    UPDATE stock_counts SET department_id = NEW.department_id WHERE location_id = NEW.id;
    UPDATE stock_count_lines l SET department_id = NEW.department_id FROM stock_counts c WHERE c.id = l.count_id AND c.location_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER give_department AFTER UPDATE OF department_id ON locations
    FOR EACH ROW WHEN (NEW.department_id IS DISTINCT FROM OLD.department_id) EXECUTE FUNCTION give_department_of_location();

-- On hand is the sum of the movements, and reserved that of the reservations, whoever writes: nobody else may set them.
CREATE FUNCTION book_movement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{department_id,device_id,moved_by}'::text[] = to_jsonb(OLD) - '{department_id,device_id,moved_by}'::text[] THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'movements of stock are kept as they were' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO inventory (id, part_id, variant_id, location_id)
    VALUES (gen_random_uuid(), NEW.part_id, NEW.variant_id, NEW.location_id)
    ON CONFLICT ON CONSTRAINT uq_inventory_place DO NOTHING;
    UPDATE inventory SET quantity_on_hand = quantity_on_hand + NEW.quantity, last_updated_at = now(),
        last_counted_at = CASE WHEN NEW.kind = 'count' THEN NEW.moved_at ELSE last_counted_at END
    WHERE part_id = NEW.part_id AND variant_id IS NOT DISTINCT FROM NEW.variant_id AND location_id = NEW.location_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER book BEFORE UPDATE OR DELETE ON stock_movements FOR EACH ROW EXECUTE FUNCTION book_movement();
CREATE TRIGGER book_new AFTER INSERT ON stock_movements FOR EACH ROW EXECUTE FUNCTION book_movement();

CREATE FUNCTION book_reservation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE inventory SET quantity_reserved = quantity_reserved - OLD.quantity, last_updated_at = now() WHERE id = OLD.inventory_id;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        UPDATE inventory SET quantity_reserved = quantity_reserved + NEW.quantity, last_updated_at = now() WHERE id = NEW.inventory_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER book AFTER INSERT OR DELETE OR UPDATE OF inventory_id, quantity ON stock_reservations
    FOR EACH ROW EXECUTE FUNCTION book_reservation();
CREATE FUNCTION take_department_of_inventory() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT i.department_id FROM inventory i WHERE i.id = NEW.inventory_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF inventory_id, department_id ON stock_reservations
    FOR EACH ROW EXECUTE FUNCTION take_department_of_inventory();
CREATE FUNCTION take_department_of_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT c.department_id FROM stock_counts c WHERE c.id = NEW.count_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_department BEFORE INSERT OR UPDATE OF count_id, department_id ON stock_count_lines
    FOR EACH ROW EXECUTE FUNCTION take_department_of_count();

CREATE FUNCTION keep_part_price() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'part_suppliers' THEN
        IF TG_OP = 'INSERT' OR (NEW.supplier_cost, NEW.currency) IS DISTINCT FROM (OLD.supplier_cost, OLD.currency) THEN
            INSERT INTO part_prices (part_id, variant_id, supplier_id, kind, price, currency, department_id)
            VALUES (NEW.part_id, NEW.variant_id, NEW.supplier_id, 'supplier', NEW.supplier_cost, NEW.currency, NEW.department_id);
        END IF;
    ELSE
        IF TG_OP = 'INSERT' OR (NEW.cost_per_unit, NEW.currency) IS DISTINCT FROM (OLD.cost_per_unit, OLD.currency) THEN
            INSERT INTO part_prices (part_id, variant_id, kind, price, currency, department_id)
            VALUES (NEW.part_id, NEW.id, 'cost', NEW.cost_per_unit, NEW.currency, NEW.department_id);
        END IF;
        IF TG_OP = 'INSERT' OR (NEW.retail_price, NEW.currency) IS DISTINCT FROM (OLD.retail_price, OLD.currency) THEN
            INSERT INTO part_prices (part_id, variant_id, kind, price, currency, department_id)
            VALUES (NEW.part_id, NEW.id, 'retail', NEW.retail_price, NEW.currency, NEW.department_id);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_price AFTER INSERT OR UPDATE ON part_suppliers FOR EACH ROW EXECUTE FUNCTION keep_part_price();
CREATE TRIGGER keep_price AFTER INSERT OR UPDATE ON part_variants FOR EACH ROW EXECUTE FUNCTION keep_part_price();

SELECT secure_table(name), secure_readers(name, true)
FROM unnest('{parts,part_variants,suppliers,part_suppliers,part_prices,inventory,stock_movements,stock_reservations,stock_serials,stock_counts,stock_count_lines}'::text[]) AS name;
-- The sums are the database's own; movements and prices are only ever added.
REVOKE INSERT, UPDATE, DELETE ON inventory, stock_movements, part_prices FROM fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT INSERT (id, part_id, variant_id, location_id, reorder_point, reorder_quantity, last_counted_at, told_low_at, department_id, version),
    UPDATE (reorder_point, reorder_quantity, told_low_at, version) ON inventory TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT INSERT ON stock_movements TO fleetkeeper_app, fleetkeeper_whole_fleet;
-- Devices that are merged take their movements along.
GRANT UPDATE (device_id) ON stock_movements TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('parts', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('part_variants', '{id}', 'variant_code', NULL, '{updated_at,created_at,version,department_id}');
SELECT audit_table('suppliers', '{id}', 'name', NULL, '{updated_at,created_at,version,measured_lead_time_days}');
SELECT audit_table('part_suppliers', '{id}', 'sku', NULL, '{updated_at,created_at,version}');
SELECT audit_table('inventory', '{id}', NULL, NULL,
                   '{quantity_on_hand,quantity_reserved,quantity_available,last_counted_at,last_updated_at,told_low_at,department_id,version}');
SELECT audit_table('stock_movements', '{id}', 'kind', 'device_id', '{department_id}');
SELECT audit_table('stock_reservations', '{id}', 'purpose', NULL, '{created_at,department_id}');
SELECT audit_table('stock_counts', '{id}', 'name', NULL, '{updated_at,created_at,version,department_id}');

SELECT annotate_table(kind, '(SELECT acts_everywhere()) OR department_id = ANY ((SELECT acting_departments())::uuid[])')
FROM unnest('{parts,suppliers}'::text[]) AS kind;

-- Document 001's names. A view shows whoever asks no more than the tables do.
CREATE VIEW part_consumption WITH (security_invoker = true) AS
SELECT id, part_id, variant_id, location_id, -quantity AS quantity_consumed, (moved_at AT TIME ZONE 'UTC')::date AS consumption_date,
    moved_by AS consumed_by, reason AS notes, moved_at AS created_at, device_id, serials
FROM stock_movements WHERE kind = 'consumption';
CREATE VIEW part_consummables WITH (security_invoker = true) AS
SELECT part_id, location_id, sum(-quantity) AS qty_consumed FROM stock_movements WHERE kind = 'consumption' GROUP BY part_id, location_id;
CREATE VIEW stock_levels WITH (security_invoker = true) AS
SELECT part_id, location_id, sum(quantity_on_hand) AS qty, max(last_updated_at) AS last_updated FROM inventory GROUP BY part_id, location_id;
GRANT SELECT ON part_consumption, part_consummables, stock_levels TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'parts:write'), ('admin', 'stock:read'), ('admin', 'stock:write'),
    ('manager', 'parts:write'), ('manager', 'stock:read'), ('manager', 'stock:write'),
    ('operator', 'stock:read'), ('operator', 'stock:write'),
    ('viewer', 'stock:read'), ('analyst', 'stock:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
