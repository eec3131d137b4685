"""QuickXorHash, by which SharePoint says what a file holds.

https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash: each byte is XORed into a ring of 160 bits,
11 bits further than the one before it, and the length into the last 64 bits.
"""

import base64
from pathlib import Path

import numpy as np

_BITS = 160
_SHIFT = 11
# Bytes that are so far apart meet at the same bit of the ring.
_PERIOD = 160
_BLOCK_BYTES = _PERIOD * 8192


def quick_xor_hash(path: Path) -> str:
    """The hash of a file in base64. Raises OSError."""
    columns, length = np.zeros(_PERIOD, dtype=np.uint8), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            length += len(block)
            padded = block + bytes(-len(block) % _PERIOD)
            rows = np.frombuffer(padded, dtype=np.uint8).reshape(-1, _PERIOD)
            columns ^= np.bitwise_xor.reduce(rows, axis=0)
    ring = 0
    for number, value in enumerate(columns.tolist()):
        shifted = value << (number * _SHIFT) % _BITS
        # What reaches beyond the end goes on at the beginning.
        ring ^= (shifted & (1 << _BITS) - 1) ^ (shifted >> _BITS)
    ring ^= length << _BITS - 64
    return base64.b64encode(ring.to_bytes(_BITS // 8, "little")).decode()
