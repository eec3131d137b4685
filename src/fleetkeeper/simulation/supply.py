"""A believable depot: parts, suppliers and prices, and what was fitted week by week. Pure, and the same each time."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

WEEKS = 52
# What a depot begins with covers so many weeks; what is left at the end is close to what must be ordered.
FIRST_COVER_WEEKS = 40


@dataclass(frozen=True)
class DemoPart:
    """A part with its price, and how often and how many of it are fitted."""

    code: str
    name: str
    category: str
    price: Decimal
    # The share of weeks in which some are fitted, and the most that are.
    weekly_share: float
    most: int
    reorder_point: int
    component_kind: str | None = None
    unit: str = "unit"
    is_serialized: bool = False


@dataclass(frozen=True)
class DemoSupplier:
    """A supplier, how long it takes (days), and what it asks compared with others."""

    name: str
    lead_time_days: int
    factor: Decimal
    is_preferred: bool = False


PARTS = (
    DemoPart("RAM-DDR4-16", "Memory DDR4 16 GiB", "Memory/DDR4", Decimal(42), 0.6, 4, 8, "memory"),
    DemoPart("RAM-DDR5-32", "Memory DDR5 32 GiB", "Memory/DDR5", Decimal(118), 0.3, 4, 4, "memory"),
    DemoPart("SSD-NVME-1T", "NVMe SSD 1 TB", "Storage/SSD", Decimal(79), 0.5, 3, 6, "disk"),
    DemoPart(
        "SSD-SATA-2T", "SATA SSD 2 TB", "Storage/SSD", Decimal(131), 0.2, 2, 3, "disk", is_serialized=True
    ),
    DemoPart("HDD-SAS-8T", "SAS disk 8 TB", "Storage/Disks", Decimal(189), 0.15, 2, 3, "disk"),
    DemoPart("PSU-750", "Power supply 750 W", "Power", Decimal(96), 0.1, 1, 2, "power_supply"),
    DemoPart("FAN-80", "Fan 80 mm", "Cooling", Decimal("11.5"), 0.25, 3, 4, "fan"),
    DemoPart("NIC-10G", "Network card 10 GbE", "Network", Decimal(145), 0.08, 1, 1, "network_card"),
    DemoPart("CAB-CAT6-2M", "Patch cable Cat 6, 2 m", "Cables", Decimal("3.2"), 0.9, 12, 30),
    DemoPart("CAB-FIBRE", "Fibre", "Cables", Decimal("1.1"), 0.2, 40, 50, unit="m"),
    DemoPart("TAB-MOUNT", "Mount for tablets in vehicles", "Vehicles", Decimal(38), 0.2, 2, 3),
    DemoPart("TAB-BATTERY", "Battery of a vehicle's tablet", "Vehicles", Decimal(54), 0.35, 3, 5),
)
SUPPLIERS = (
    DemoSupplier("Nordic Parts", 5, Decimal("1.00"), is_preferred=True),
    DemoSupplier("Rhine Components", 9, Decimal("0.94")),
    DemoSupplier("Overnight IT", 1, Decimal("1.22")),
)
TRUCKS = tuple(f"truck-{number:03}" for number in range(1, 7))


def demand_of(part: DemoPart) -> list[int]:
    """How many were fitted in each of WEEKS weeks, the oldest first."""
    dice = Random(part.code)  # noqa: S311 - a story, no secret
    return [dice.randint(1, part.most) if dice.random() < part.weekly_share else 0 for _ in range(WEEKS)]


def deliveries_of(part: DemoPart) -> list[tuple[int, int]]:
    """Weeks, and how many came in them: what was fitted was there, and some parts are down to what is reordered at."""
    demand = demand_of(part)
    left = part.reorder_point * Random(part.name).choice((1, 1, 2, 4))  # noqa: S311 - a story, no secret
    first = sum(demand[:FIRST_COVER_WEEKS]) + left
    rest = sum(demand[FIRST_COVER_WEEKS:])
    return [(0, first)] + ([(FIRST_COVER_WEEKS, rest)] if rest else [])
