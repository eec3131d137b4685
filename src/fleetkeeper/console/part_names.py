"""Parts by the codes that people type or scan: suggestions, and the one that is meant."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.stock.parts.schemas import Scanned
from fleetkeeper.stock.parts.service import list_categories, parts, scan, variants
from fleetkeeper.stock.suppliers.schemas import SupplierRead
from fleetkeeper.stock.suppliers.service import suppliers

_SUGGESTED = 20


async def suggest_parts(session: AsyncSession, actor: Actor, text: str) -> list[Option]:
    """Parts to choose from."""
    asked = [("q", text), ("is_active", "true"), ("limit", str(_SUGGESTED))]
    found = (await parts.list(session, actor, asked, is_counted=False)).results
    return [Option(one.part_code, one.name) for one in found]


async def suggest_categories(session: AsyncSession, actor: Actor, text: str) -> list[Option]:
    """Categories that parts have already."""
    names = [name for name, _ in await list_categories(session, actor)]
    return [Option(one, "") for one in names if text.casefold() in one.casefold()][:_SUGGESTED]


async def suggest_suppliers(session: AsyncSession, actor: Actor, text: str) -> list[Option]:
    """Suppliers to choose from."""
    asked = [("q", text), ("is_active", "true"), ("limit", str(_SUGGESTED))]
    found = (await suppliers.list(session, actor, asked, is_counted=False)).results
    return [Option(one.name, "") for one in found]


async def scanned(session: AsyncSession, actor: Actor, code: str, field: str = "part") -> Scanned:
    """What a code that was typed or scanned means. Raises InvalidInputError at the field."""
    try:
        return await scan(session, actor, code)
    except (NotFoundError, ConflictError) as error:
        wrong = FieldError(field, str(error))
        raise InvalidInputError("Correct the marked fields.", fields=[wrong]) from None


async def variant_named(session: AsyncSession, actor: Actor, found: Scanned, code: str) -> Scanned:
    """The same with the variant that a code means, if one was entered. Raises InvalidInputError at `variant`."""
    if not code:
        return found
    asked = [("part_id", str(found.part.id)), ("variant_code", code), ("limit", "1")]
    known = (await variants.list(session, actor, asked, is_counted=False)).results
    if not known:
        wrong = FieldError("variant", f"{found.part.part_code} has no variant {code}")
        raise InvalidInputError("Correct the marked fields.", fields=[wrong])
    return found.model_copy(update={"variant_id": known[0].id})


async def supplier_named(session: AsyncSession, actor: Actor, name: str) -> SupplierRead:
    """The supplier of a name. Raises InvalidInputError at `supplier`."""
    asked = [("name", name), ("limit", "2")]
    found = (await suppliers.list(session, actor, asked, is_counted=False)).results
    if len(found) != 1:
        problem = "Several suppliers have this name" if found else f"No supplier is named {name}"
        raise InvalidInputError("Correct the marked fields.", fields=[FieldError("supplier", problem)])
    return found[0]
