"""What the search finds of parts, suppliers and pieces with serial numbers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.stock.annotating  # noqa: F401 - declares what may be annotated
from fleetkeeper.identity.actor import Actor
from fleetkeeper.search.asked import Asked
from fleetkeeper.search.sources import Found, Source, declare_source, of_names
from fleetkeeper.stock.levels.models import StockSerial
from fleetkeeper.stock.models import Part, Supplier
from fleetkeeper.stock.parts.service import parts
from fleetkeeper.stock.suppliers.service import suppliers


async def _find_parts(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = parts.visible_to(actor).where(of_names(asked, Part.part_code.expression, Part.name.expression))
    found = await session.scalars(named.order_by(func.length(Part.part_code), Part.part_code).limit(most))
    return [_part(one, asked) for one in found]


async def _find_pieces(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    found = (
        parts.visible_to(actor)
        .join(StockSerial, StockSerial.part_id == Part.id)
        .add_columns(StockSerial.id.label("piece"), StockSerial.serial)
        .where(or_(StockSerial.serial == asked.text, StockSerial.serial == asked.text.upper()))
        .limit(most)
    )
    return [
        Found(
            id=row.piece,
            title=row.serial,
            detail=row[0].name,
            href=f"/parts/{row[0].id}",
            texts={"Serial number": row.serial},
            rank=asked.rank(row.serial),
        )
        for row in await session.execute(found)
    ]


def _part(one: Any, asked: Asked) -> Found:
    return Found(
        id=one.id,
        title=one.part_code,
        detail=one.name,
        href=f"/parts/{one.id}",
        texts={"Name": one.name},
        rank=min(asked.rank(one.part_code), asked.rank(one.name)),
    )


async def _find_suppliers(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = suppliers.visible_to(actor).where(of_names(asked, Supplier.name.expression))
    found = await session.scalars(named.order_by(func.length(Supplier.name), Supplier.name).limit(most))
    return [
        Found(id=one.id, title=one.name, detail="", href=f"/suppliers/{one.id}", rank=asked.rank(one.name))
        for one in found
    ]


declare_source(Source("part", parts.read, _find_parts, 5))
declare_source(Source("piece", parts.read, _find_pieces, 5))
declare_source(Source("supplier", suppliers.read, _find_suppliers, 6))
