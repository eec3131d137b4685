"""Every room's searches, imported so that they are declared."""

from fleetkeeper.alerts import searching as alerts
from fleetkeeper.annotations import searching as annotations
from fleetkeeper.device_requests import searching as device_requests
from fleetkeeper.devices import searching as devices
from fleetkeeper.orders import searching as orders
from fleetkeeper.stock import searching as stock

__all__ = ["alerts", "annotations", "device_requests", "devices", "orders", "stock"]
