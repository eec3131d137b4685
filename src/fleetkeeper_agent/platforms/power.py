"""What a machine lives on, as psutil tells it on every system."""

import psutil

from fleetkeeper_agent.collectors.collector import States


def power_states() -> States:
    """`system_power_source` is battery or mains; nothing for a machine without a battery."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, RuntimeError, NotImplementedError):
        battery = None
    if battery is None or battery.power_plugged is None:
        return {}
    return {"system_power_source": "mains" if battery.power_plugged else "battery"}
