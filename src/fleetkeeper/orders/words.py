"""What this room's objects are called, and what its constraints mean."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong
from fleetkeeper.devices.merging.moving import Moving, declare_moving

declare_object("orders", page="/orders/{}")
declare_object("order_items", "line of an order")
declare_object("work_orders", "work order", page="/work-orders/{}")

declare_unaudited("order_history", "is history by itself")
declare_unaudited("reference_numbers", "counts the numbers that were given")
declare_skipped("orders", total_price="follows from its lines")
declare_skipped("order_items", department_id="follows from the order")
declare_skipped("work_orders", department_id="follows from the device")

declare_taken("uq_orders_request_id", "request_id", "This request has an order already.")
for table in ("orders", "order_items"):
    declare_taken(
        f"fk_{table}_supplier_id_suppliers", "id", "Orders name this supplier: make it inactive instead."
    )
for key in ("orders_deliver_to_id", "orders_from_location_id", "work_orders_location_id"):
    declare_taken(f"fk_{key}_locations", "id", "Orders name this location: make it inactive instead.")
for table in ("order_items", "work_orders"):
    declare_taken(f"fk_{table}_part_id_parts", "id", "Orders name this part: make it inactive instead.")
declare_wrong("fk_orders_department_id_departments", "department_id", "No such department")
for table in ("order_items", "work_orders"):
    declare_wrong(
        f"fk_{table}_part_id_variant_id_part_variants", "variant_id", "No such variant of this part"
    )
declare_wrong("ck_work_orders_window", "ends_at", "Must be after the start")

declare_moving(Moving("work_orders", "device_id", "work orders"))
