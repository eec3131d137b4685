"""What people add to parts and suppliers: tags, notes, files such as images and data sheets."""

from fleetkeeper.annotations.objects import Annotated, declare_annotated
from fleetkeeper.stock.models import Part, Supplier
from fleetkeeper.stock.parts.service import parts
from fleetkeeper.stock.suppliers.service import suppliers

declare_annotated(
    Annotated(
        table="parts",
        title="part",
        href="/parts/{}",
        key=Part.id.expression,
        label=Part.name.expression,
        visible=parts.visible_to,
        writable=parts.writable_to,
        department=Part.department_id.expression,
    )
)
declare_annotated(
    Annotated(
        table="suppliers",
        title="supplier",
        href="/suppliers/{}",
        key=Supplier.id.expression,
        label=Supplier.name.expression,
        visible=suppliers.visible_to,
        writable=suppliers.writable_to,
        department=Supplier.department_id.expression,
    )
)
