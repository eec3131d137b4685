"""A document library of SharePoint, or a OneDrive, by Microsoft Graph.

https://learn.microsoft.com/graph/api/driveitem-createuploadsession and the pages beside it.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from fleetkeeper.cloud_files.providers.calls import (
    Calls,
    Token,
    address_in,
    is_same_origin,
    object_in,
    reason_of,
    refusal,
    token_of,
)
from fleetkeeper.cloud_files.providers.protocol import (
    Cargo,
    FileGoneError,
    Place,
    Progress,
    StoreError,
    read_part,
)
from fleetkeeper.cloud_files.providers.quick_xor import quick_xor_hash
from fleetkeeper.kit.outgoing import Answer, Reach

API_URL = "https://graph.microsoft.com/v1.0"
LOGIN_URL = "https://login.microsoftonline.com"
# Fragments are a multiple of 320 KiB; the documentation recommends 5 to 10 MiB.
FRAGMENT_BYTES = 32 * 320 * 1024
_PAGES = 20
_RANGE = re.compile(r"(\d{1,15})(-\d{0,15})?")
_DOWNLOAD = "@microsoft.graph.downloadUrl"


@dataclass(frozen=True)
class Library:
    """Which library, which folder in it, and the application that signs in."""

    drive_id: str
    folder: str
    tenant_id: str
    client_id: str
    client_secret: str
    api_url: str = API_URL
    login_url: str = LOGIN_URL


class SharePointStore:
    """Files of one folder of a library."""

    def __init__(self, library: Library, reach: Reach) -> None:
        self._library = library
        self._reach = reach
        self._api = (library.api_url or API_URL).rstrip("/")
        self._login = (library.login_url or LOGIN_URL).rstrip("/")
        account = (
            "sharepoint",
            self._login,
            self._api,
            library.tenant_id,
            library.client_id,
            library.client_secret,
        )
        self._calls = Calls(reach, account, self._sign_in)

    async def put(self, cargo: Cargo, progress: Progress) -> Place:
        """Fragment after fragment; what is there already is compared."""
        item = await self._find(cargo.cloud_path)
        if item is None:
            item = await self._upload(cargo, progress)
        await _check_same(item, cargo)
        return Place(cargo.cloud_path, _id_of(item))

    async def get(self, place: Place) -> AsyncGenerator[bytes, None]:
        """From the address that Graph gives for it, which needs no token."""
        # Without `$select`: Graph gives the address with the whole item only.
        answer = await self._calls.ask("GET", self._item(place))
        if answer.status == 404:
            raise FileGoneError("The file is not in its library any more.")
        if answer.status != 200:
            raise refusal(answer, "The download")
        address = address_in(object_in(answer).get(_DOWNLOAD), self._api)
        async with aclosing(self._calls.content(address, is_signed=False)) as parts:
            async for part in parts:
                yield part

    async def delete(self, place: Place) -> None:
        """Move a file to the library's recycle bin."""
        answer = await self._calls.ask("DELETE", self._item(place))
        if answer.status not in {200, 204, 404}:
            raise refusal(answer, "The deletion")

    async def check(self) -> str:
        """Look into the folder, page by page."""
        folder = self._library.folder
        root = f"root:/{_quoted(folder)}:" if folder else "root"
        address = f"{self._drive()}/{root}/children?$select=id,name&$top=200"
        found = 0
        for _ in range(_PAGES):
            answer = await self._calls.ask("GET", address)
            if answer.status == 404 and folder:
                return "Signed in. The folder is created with the first file."
            if answer.status != 200:
                raise refusal(answer, "The library")
            said = object_in(answer)
            items = said.get("value")
            found += len(items) if isinstance(items, list) else 0
            following = said.get("@odata.nextLink")
            if following is None:
                return f"Signed in. The folder has {found:,} entries."
            address = address_in(following, self._api)
            if not is_same_origin(address, self._api):
                raise StoreError("The service gave the address of another host for the next page.")
        return f"Signed in. The folder has more than {found:,} entries."

    async def _sign_in(self) -> Token:
        library, parts = self._library, urlsplit(self._api)
        return await token_of(
            f"{self._login}/{quote(library.tenant_id, safe='')}/oauth2/v2.0/token",
            {
                "client_id": library.client_id,
                "client_secret": library.client_secret,
                "scope": f"{parts.scheme}://{parts.netloc}/.default",
                "grant_type": "client_credentials",
            },
            self._reach,
        )

    async def _find(self, cloud_path: str) -> Mapping[str, Any] | None:
        answer = await self._calls.ask("GET", f"{self._drive()}/root:/{_quoted(cloud_path)}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusal(answer, "The library")
        return object_in(answer)

    async def _upload(self, cargo: Cargo, progress: Progress) -> Mapping[str, Any]:
        offset = await self._offset(progress) if progress.session else None
        if offset is None:
            session = await self._begin(cargo)
            if session is None:
                return await self._present(cargo)
            await progress.keep(session=session, offset=0)
            offset = 0
        while True:
            size_bytes = min(FRAGMENT_BYTES, cargo.size_bytes - offset)
            if size_bytes <= 0:
                raise StoreError("The service has all of the file and does not end the upload.")
            part = await read_part(cargo.path, offset, size_bytes)
            end = offset + size_bytes - 1
            headers = {"Content-Range": f"bytes {offset}-{end}/{cargo.size_bytes}"}
            # The session's address is the credential; the service refuses a token beside it.
            answer = await self._calls.ask("PUT", progress.session, part, headers, is_signed=False)
            if answer.status in {200, 201}:
                return object_in(answer)
            if answer.status == 409:
                return await self._present(cargo)
            following = await self._after(answer, progress)
            if following <= offset:
                raise StoreError("The service took nothing of a part of the file.")
            offset = following
            await progress.keep(offset=offset)

    async def _begin(self, cargo: Cargo) -> str | None:
        """The address of a new upload; None where a file of the name is there."""
        body = {"item": {"@microsoft.graph.conflictBehavior": "fail", "name": cargo.name}}
        address = f"{self._drive()}/root:/{_quoted(cargo.cloud_path)}:/createUploadSession"
        answer = await self._calls.ask_json("POST", address, body)
        if answer.status == 409 and reason_of(answer) in {"nameAlreadyExists", ""}:
            return None
        if answer.status not in {200, 201}:
            raise refusal(answer, "The upload")
        return address_in(object_in(answer).get("uploadUrl"), self._api)

    async def _present(self, cargo: Cargo) -> Mapping[str, Any]:
        found = await self._find(cargo.cloud_path)
        if found is None:
            raise StoreError("The library says that the name is taken, and has no such file.")
        return found

    async def _offset(self, progress: Progress) -> int | None:
        """Where an upload goes on; None for one that has expired."""
        answer = await self._calls.ask("GET", progress.session, is_signed=False)
        if answer.status == 200:
            return _next_offset(answer)
        return None

    async def _after(self, answer: Answer, progress: Progress) -> int:
        """Where the next fragment begins."""
        if answer.status == 202:
            return _next_offset(answer)
        if answer.status == 416:
            # Some of it came in an attempt whose answer was lost.
            offset = await self._offset(progress)
            if offset is not None:
                return offset
        await progress.keep(session="", offset=0)
        if answer.status in {404, 410, 416}:
            raise StoreError("The upload session has ended; the upload starts again.")
        raise refusal(answer, "The upload")

    def _drive(self) -> str:
        return f"{self._api}/drives/{quote(self._library.drive_id, safe='!')}"

    def _item(self, place: Place) -> str:
        if place.remote_id:
            return f"{self._drive()}/items/{quote(place.remote_id, safe='!')}"
        return f"{self._drive()}/root:/{_quoted(place.cloud_path)}"


async def _check_same(item: Mapping[str, Any], cargo: Cargo) -> None:
    """Raise StoreError where the library has something else under the name."""
    file = item.get("file")
    hashes = file.get("hashes") if isinstance(file, dict) else None
    told = hashes.get("quickXorHash") if isinstance(hashes, dict) else None
    is_same = item.get("size") == cargo.size_bytes
    if is_same and isinstance(told, str) and told:
        try:
            is_same = await asyncio.to_thread(quick_xor_hash, cargo.path) == told
        except OSError as error:
            raise StoreError(f"The copy on this server cannot be read: {error.strerror}.") from None
    if not is_same:
        raise StoreError("The library has another file under this name.", is_final=True)


def _next_offset(answer: Answer) -> int:
    ranges = object_in(answer).get("nextExpectedRanges")
    match = _RANGE.fullmatch(str(ranges[0])) if isinstance(ranges, list) and ranges else None
    if match is None:
        raise StoreError("The service does not say where the upload goes on.")
    return int(match[1])


def _id_of(item: Mapping[str, Any]) -> str:
    found = item.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise StoreError("The service gave no ID for the file.")
    return found


def _quoted(path: str) -> str:
    return quote(path, safe="/")
