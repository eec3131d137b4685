"""Movements of stock: booked whole or not at all, with their pieces, reservations and what they are fitted to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.devices.components.models import HardwareComponent
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.devices.service import check_permission
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.stock.levels import queries
from fleetkeeper.stock.levels.low import tell_if_low
from fleetkeeper.stock.levels.models import StockMovement, StockSerial
from fleetkeeper.stock.levels.moves import STATUS_AFTER, Step, check, steps_of
from fleetkeeper.stock.levels.reserving import take_reserved
from fleetkeeper.stock.levels.schemas import MoveWrite
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.parts.service import check_variant, visible_part

_SERIALS_TO_SAY = 5


async def move_stock(
    session: AsyncSession,
    actor: Actor,
    wanted: MoveWrite,
    purpose: tuple[str, UUID] | None = None,
) -> list[StockMovement]:
    """Book a movement; a transfer has two halves, and a count that finds no difference has none.

    `purpose` is the kind and ID of what it is done for. Raises InvalidInputError that names the field, ForbiddenError.
    """
    part = await visible_part(session, actor, wanted.part_id)
    await check_variant(session, part.id, wanted.variant_id)
    check(wanted, is_serialized=part.is_serialized, has_lots=part.has_lots)
    await _check_place(session, actor, wanted.location_id, "location_id")
    if wanted.to_location_id is not None:
        await _check_place(session, actor, wanted.to_location_id, "to_location_id")
    device = await _device(session, actor, part, wanted)
    on_hand = Decimal(0)
    if wanted.kind == "count":
        present = await queries.place_of(
            session, part.id, wanted.variant_id, wanted.location_id, is_locked=True
        )
        on_hand = present.quantity_on_hand if present is not None else on_hand
    if wanted.reservation_id is not None:
        await take_reserved(session, actor, wanted.reservation_id, wanted)
    movements = [_movement(actor, wanted, step, device, purpose) for step in steps_of(wanted, on_hand)]
    if len(movements) > 1:
        movements[0].transfer_id = movements[1].transfer_id = uuid7()
    # Whoever books several changes locks the places in one order, so that nobody waits in a circle.
    async with told_by_name(session):
        for one in sorted(movements, key=lambda one: str(one.location_id)):
            session.add(one)
            await session.flush()
    if part.is_serialized:
        await _move_pieces(session, wanted, movements)
    if device is not None and wanted.kind == "consumption" and part.component_kind is not None:
        await _fit(session, part, wanted, device, movements)
    for one in movements:
        await session.refresh(one)
        await tell_if_low(session, one)
    return movements


async def _check_place(session: AsyncSession, actor: Actor, location_id: UUID, field: str) -> None:
    found: Any = await session.scalar(locations.visible_to(actor).where(Location.id == location_id))
    if found is None:
        raise InvalidInputError("Nothing was moved.", fields=[FieldError(field, "No such location")])
    if not found.is_active:
        raise InvalidInputError("Nothing was moved.", fields=[FieldError(field, "This location is inactive")])
    if not actor.may_in(Permission.STOCK_WRITE, found.department_id):
        where = "everywhere" if found.department_id is None else "in the location's department"
        raise ForbiddenError(f"This needs the permission {Permission.STOCK_WRITE} {where}.")


async def _device(session: AsyncSession, actor: Actor, part: Part, wanted: MoveWrite) -> DeviceRead | None:
    """The device that it is fitted to or comes back from."""
    if wanted.device_id is None:
        return None
    try:
        device = await check_permission(session, actor, Permission.DEVICES_WRITE, wanted.device_id)
    except NotFoundError:
        wrong = FieldError("device_id", "No such device")
        raise InvalidInputError("Nothing was moved.", fields=[wrong]) from None
    problem = misfit(part, device.device_type, device.model)
    if wanted.kind == "consumption" and problem and not wanted.fits_anyway:
        raise InvalidInputError("Nothing was moved.", fields=[FieldError("device_id", problem)])
    return device


def misfit(part: Part, device_type: str, model: str | None) -> str:
    """Why a part does not fit a device; empty where it does. Pure."""
    if part.fits_device_types and device_type not in part.fits_device_types:
        return f"{part.part_code} fits {', '.join(part.fits_device_types)} only, and this is a {device_type}"
    known = [one.casefold() for one in part.fits_models]
    if known and (model or "").casefold() not in known:
        this = model or "of an unknown model"
        return f"{part.part_code} fits {', '.join(part.fits_models[:5])} only, and this is {this}"
    return ""


def _movement(
    actor: Actor,
    wanted: MoveWrite,
    step: Step,
    device: DeviceRead | None,
    purpose: tuple[str, UUID] | None,
) -> StockMovement:
    return StockMovement(
        id=uuid7(),
        kind=wanted.kind,
        part_id=wanted.part_id,
        variant_id=wanted.variant_id,
        location_id=step.location_id,
        quantity=step.quantity,
        serials=list(wanted.serials),
        lot=wanted.lot,
        expires_on=wanted.expires_on,
        unit_cost=wanted.unit_cost,
        currency=wanted.currency,
        device_id=device.id if device is not None else None,
        device_name=device.name if device is not None else "",
        purpose_type=purpose[0] if purpose is not None else "",
        purpose_id=purpose[1] if purpose is not None else None,
        reason=wanted.reason.strip(),
        moved_by=actor.user_id,
        moved_by_name=actor.name[:255],
    )


async def _move_pieces(session: AsyncSession, wanted: MoveWrite, movements: Sequence[StockMovement]) -> None:
    """Put each piece where it is now. Raises InvalidInputError for one that is not where it was said to be."""
    if not movements:
        return
    known = await queries.lock_serials(session, wanted.part_id, wanted.serials)
    first, last = movements[0], movements[-1]
    if first.quantity > 0:
        _check_pieces(
            "Is in stock already",
            [one for one in known.values() if one.status == "in_stock"],
        )
    else:
        absent = [one for one in wanted.serials if one not in known]
        elsewhere = [
            one
            for one in known.values()
            if one.location_id != first.location_id or one.variant_id != wanted.variant_id
        ]
        _check_pieces("Does not lie at this location", [*absent, *(one.serial for one in elsewhere)])
    async with told_by_name(session):
        for serial in wanted.serials:
            piece = known.get(serial)
            if piece is None:
                piece = StockSerial(part_id=wanted.part_id, serial=serial)
                session.add(piece)
            piece.variant_id, piece.movement_id = wanted.variant_id, last.id
            piece.lot, piece.expires_on = wanted.lot or piece.lot, wanted.expires_on or piece.expires_on
            piece.department_id = last.department_id
            if last.quantity > 0:
                piece.status, piece.location_id, piece.device_id = "in_stock", last.location_id, None
            else:
                piece.status = STATUS_AFTER.get(wanted.kind, "scrapped")
                piece.location_id, piece.device_id = None, last.device_id


def _check_pieces(problem: str, pieces: Sequence[Any]) -> None:
    if pieces:
        names = [str(getattr(one, "serial", one)) for one in pieces]
        more = f" and {len(names) - _SERIALS_TO_SAY} more" if len(names) > _SERIALS_TO_SAY else ""
        told = f"{problem}: {', '.join(names[:_SERIALS_TO_SAY])}{more}"
        raise InvalidInputError("Nothing was moved.", fields=[FieldError("serials", told)])


async def _fit(
    session: AsyncSession,
    part: Part,
    wanted: MoveWrite,
    device: DeviceRead,
    movements: Sequence[StockMovement],
) -> None:
    """List what was fitted among the device's hardware, until its agent reports it by itself."""
    names = wanted.serials or [str(movements[0].id)[-12:]]
    async with told_by_name(session):
        for name in names:
            session.add(
                HardwareComponent(
                    device_id=device.id,
                    source_system="stock",
                    kind=part.component_kind,
                    slot=f"fitted {name}",
                    name=part.name,
                    part_number=part.part_code,
                    serial_number=name if wanted.serials else None,
                )
            )
