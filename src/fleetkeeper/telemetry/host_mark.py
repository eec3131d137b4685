"""The character that stands for a device's own name inside label values.

`up{instance="web1:9100"}` of the device that senders call web1 is stored with U+FFFC in the place of web1, so that
machines of a kind share channels; readers put the name back.
"""

from fleetkeeper.devices.host_claims import RESERVED

HOST_MARK = RESERVED
