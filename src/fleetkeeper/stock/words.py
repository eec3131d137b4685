"""What this room's objects are called, and what its constraints mean."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong
from fleetkeeper.devices.merging.moving import Moving, declare_moving

declare_object("parts", page="/parts/{}")
declare_object("part_variants", "variant of a part", page="/part-variants/{}")
declare_object("part_suppliers", "supplier's price", page="/part-suppliers/{}")
declare_object("suppliers", page="/suppliers/{}")
declare_object("inventory", "stock of a part", page="/inventory/{}")
declare_object("stock_movements", "movement of stock", page="/stock-movements/{}")
declare_object("stock_reservations", "reservation of stock")
declare_object("stock_counts", "stock count", page="/stock-counts/{}")

declare_unaudited("part_prices", "is history by itself, kept by the database")
declare_unaudited("stock_serials", "follows from movements, which are audited")
declare_unaudited("stock_count_lines", "end up in movements, which are audited")
declare_skipped("part_variants", department_id="follows from the part")
declare_skipped("suppliers", measured_lead_time_days="is measured from receipts")
declare_skipped(
    "inventory",
    quantity_on_hand="is the sum of movements",
    quantity_reserved="is the sum of reservations",
    last_counted_at="follows from movements",
    last_updated_at="follows from movements",
    told_low_at="says what people were told",
    department_id="follows from the location",
)
declare_skipped("stock_movements", department_id="follows from the location")
declare_skipped("stock_reservations", department_id="follows from the location")
declare_skipped("stock_counts", department_id="follows from the location")

declare_taken("uq_parts_department_id_part_code", "part_code", "There is a part with this code already.")
declare_taken("uq_part_variants_part_id_variant_code", "variant_code", "The part has this variant already.")
declare_taken("uq_suppliers_department_id_name", "name", "There is a supplier with this name already.")
declare_taken(
    "uq_part_suppliers_offer", "supplier_id", "This supplier's price for the part is there already."
)
declare_taken(
    "uq_inventory_place", "location_id", "The stock of this part at this location is there already."
)
declare_taken(
    "uq_stock_serials_part_id_serial", "serials", "A piece of this part has this serial number already."
)
declare_wrong("ck_parts_replaced_by_another", "replaced_by_id", "Must be another part")
declare_wrong("fk_parts_department_id_departments", "department_id", "No such department")
declare_wrong("fk_suppliers_department_id_departments", "department_id", "No such department")
declare_wrong("fk_part_suppliers_department_id_departments", "department_id", "No such department")
declare_wrong(
    "fk_part_suppliers_part_id_variant_id_part_variants", "variant_id", "No such variant of this part"
)
for table in ("inventory", "stock_movements"):
    declare_wrong(
        f"fk_{table}_part_id_variant_id_part_variants", "variant_id", "No such variant of this part"
    )
declare_wrong("ck_inventory_on_hand", "quantity", "There is not as much on hand")
declare_wrong("ck_inventory_reserved", "quantity", "There is not as much available: the rest is reserved")
for table in ("inventory", "stock_movements", "stock_serials", "stock_count_lines"):
    declare_taken(
        f"fk_{table}_part_id_parts", "id", "Stock of this part was moved: make it inactive instead."
    )
for table in ("inventory", "stock_movements", "stock_serials", "stock_counts"):
    declare_taken(
        f"fk_{table}_location_id_locations", "id", "Stock was moved here: make the location inactive instead."
    )
declare_wrong("fk_parts_replaced_by_id_parts", "replaced_by_id", "No such part, or others are replaced by it")

declare_moving(Moving("stock_movements", "device_id", "movements of stock"))
declare_moving(Moving("stock_serials", "device_id", "serial numbers"))
