DELETE FROM role_permissions WHERE permission IN ('parts:write', 'stock:read', 'stock:write');
DROP VIEW part_consumption, part_consummables, stock_levels;
DELETE FROM tagged WHERE object_type IN ('parts', 'suppliers');
DELETE FROM notes WHERE object_type IN ('parts', 'suppliers');
DELETE FROM custom_values WHERE object_type IN ('parts', 'suppliers');
DELETE FROM attachments WHERE object_type IN ('parts', 'suppliers');
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT policyname, tablename FROM pg_policies
        WHERE tablename IN ('tagged', 'notes', 'custom_values', 'attachments', 'attachment_parts')
          AND policyname ~ '^(parts|suppliers)_(read|insert|update|delete)$'
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', made.policyname, made.tablename);
    END LOOP;
END
$$;
DROP TRIGGER give_department ON locations;
DROP TABLE stock_count_lines, stock_counts, stock_serials, stock_reservations, stock_movements, inventory, part_prices, part_suppliers,
    suppliers, part_variants, parts;
DROP FUNCTION take_department_of_part(), give_department_of_part(), take_department_of_location(), give_department_of_location(),
    book_movement(), book_reservation(), take_department_of_inventory(), take_department_of_count(), keep_part_price(),
    secure_readers(text, boolean), audit_parts(), audit_part_variants(), audit_suppliers(), audit_part_suppliers(),
    audit_inventory(), audit_stock_movements(), audit_stock_reservations(), audit_stock_counts();
UPDATE locations SET location_type = 'other' WHERE location_type IN ('warehouse', 'store', 'garage');
ALTER TABLE locations DROP CONSTRAINT ck_locations_location_type;
ALTER TABLE locations ADD CONSTRAINT ck_locations_location_type CHECK (location_type IN
    ('region', 'site', 'building', 'floor', 'room', 'rack', 'depot', 'vehicle', 'other'));
