"""Serves the bundled assets: by exact name, compressed once, cached for good as names carry a hash."""

import gzip
import mimetypes
from functools import lru_cache
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.rendering import DIST
from fleetkeeper.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_COMPRESSED = frozenset({"text/javascript", "text/css", "image/svg+xml", "application/json"})


class Asset(NamedTuple):
    """A file of the bundle, and the same in gzip where that helps."""

    content: bytes
    compressed: bytes | None
    media_type: str


# Bounded, as anybody may ask for any name.
@lru_cache(maxsize=256)
def _read_asset(name: str) -> Asset | None:
    # A name is looked up among the files that are there, so that no path can lead elsewhere.
    path = next((item for item in DIST.glob("*") if item.name == name), None)
    if path is None:
        return None
    content = path.read_bytes()
    media_type = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(content, gzip.compress(content, mtime=0) if media_type in _COMPRESSED else None, media_type)


@router.get("/static/{path:path}")
async def read_asset(path: str, request: Request) -> Response:
    """One asset. Raises NotFoundError."""
    asset = _read_asset(path.removeprefix("dist/")) if path.startswith("dist/") else None
    if asset is None:
        raise NotFoundError("There is no such file.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, media_type=asset.media_type, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
