"""A folder of Google Drive, by its API (version 3) and a service account.

https://developers.google.com/workspace/drive/api/guides/manage-uploads and
https://developers.google.com/identity/protocols/oauth2/service-account.
"""

import json
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from fleetkeeper.cloud_files.providers.calls import (
    Calls,
    Token,
    address_in,
    is_same_origin,
    object_in,
    refusal,
    token_of,
)
from fleetkeeper.cloud_files.providers.protocol import (
    Cargo,
    Place,
    Progress,
    StoreError,
    read_part,
)
from fleetkeeper.kit.outgoing import Answer, Reach

API_URL = "https://www.googleapis.com"
LOGIN_URL = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/drive"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS = 600
# Parts are a multiple of 256 KiB.
PART_BYTES = 40 * 256 * 1024
_PAGES = 20
_FIELDS = "id,size,sha256Checksum,trashed"
_RANGE = re.compile(r"bytes=0-(\d{1,15})")
_ID = re.compile(r"[A-Za-z0-9_-]{5,200}")


class KeyFileError(Exception):
    """A service account's key file cannot be used; the message says why."""


@dataclass(frozen=True)
class Folder:
    """Which folder, and the service account that signs in."""

    folder_id: str
    email: str
    private_key: str
    api_url: str = API_URL
    login_url: str = LOGIN_URL


def account_in(key_file: str) -> tuple[str, str]:
    """The address and the private key in a service account's key file. Raises KeyFileError."""
    try:
        read = json.loads(key_file)
    except (ValueError, RecursionError):
        raise KeyFileError("be the JSON key file of a service account") from None
    email = read.get("client_email") if isinstance(read, dict) else None
    private_key = read.get("private_key") if isinstance(read, dict) else None
    if not isinstance(email, str) or not isinstance(private_key, str):
        raise KeyFileError("have client_email and private_key, as the JSON key file of a service account has")
    try:
        RSAKey.import_key(private_key)
    except (JoseError, ValueError, TypeError):
        raise KeyFileError("have an RSA key in private_key") from None
    return email, private_key


class GoogleDriveStore:
    """Files of one folder."""

    def __init__(self, folder: Folder, reach: Reach) -> None:
        self._folder = folder
        self._reach = reach
        self._base = (folder.api_url or API_URL).rstrip("/")
        self._login = folder.login_url or LOGIN_URL
        self._files = f"{self._base}/drive/v3/files"
        account = ("google-drive", self._login, self._base, folder.email, folder.private_key)
        self._calls = Calls(reach, account, self._sign_in)

    async def put(self, cargo: Cargo, progress: Progress) -> Place:
        """Part after part, under an ID that is had before: a second upload of it is refused, not doubled."""
        if not progress.remote_id:
            await progress.keep(remote_id=await self._new_id(), session="", offset=0)
            file = None
        else:
            file = await self._find(progress.remote_id)
        if file is None:
            file = await self._upload(cargo, progress)
        _check_same(file, cargo)
        return Place(cargo.cloud_path, progress.remote_id)

    async def get(self, place: Place) -> AsyncGenerator[bytes, None]:
        """The content, as it comes."""
        address = self._file(place.remote_id, alt="media")
        async with aclosing(self._calls.content(address, is_signed=True)) as parts:
            async for part in parts:
                yield part

    async def delete(self, place: Place) -> None:
        """Delete a file; where the account may only move it to the trash, that."""
        if not place.remote_id:
            return
        answer = await self._calls.ask("DELETE", self._file(place.remote_id))
        if answer.status == 403:
            answer = await self._calls.ask_json("PATCH", self._file(place.remote_id), {"trashed": True})
        if answer.status not in {200, 204, 404}:
            raise refusal(answer, "The deletion")

    async def check(self) -> str:
        """Look into the folder, page by page."""
        about = await self._calls.ask("GET", self._file(self._folder.folder_id, fields="id,name,mimeType"))
        if about.status == 404:
            raise StoreError("There is no such folder, or it is not shared with the service account.")
        if about.status != 200:
            raise refusal(about, "The folder")
        asked = {
            "q": f"'{self._folder.folder_id}' in parents and trashed = false",
            "fields": "nextPageToken,files(id)",
            "pageSize": "200",
            "supportsAllDrives": "true",
            "includeItemsFromAllDrives": "true",
        }
        found = 0
        for _ in range(_PAGES):
            answer = await self._calls.ask("GET", f"{self._files}?{urlencode(asked)}")
            if answer.status != 200:
                raise refusal(answer, "The folder")
            said = object_in(answer)
            files = said.get("files")
            found += len(files) if isinstance(files, list) else 0
            following = said.get("nextPageToken")
            if not isinstance(following, str) or not following:
                return f"Signed in. The folder has {found:,} entries."
            asked["pageToken"] = following
        return f"Signed in. The folder has more than {found:,} entries."

    async def _sign_in(self) -> Token:
        now = int(time.time())
        claims = {
            "iss": self._folder.email,
            "scope": _SCOPE,
            "aud": self._login,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
        }
        try:
            key = RSAKey.import_key(self._folder.private_key)
            assertion = jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, key, algorithms=["RS256"])
        except (JoseError, ValueError, TypeError):
            raise StoreError("The service account's key cannot be used; enter it again.") from None
        return await token_of(self._login, {"grant_type": _GRANT, "assertion": assertion}, self._reach)

    async def _new_id(self) -> str:
        answer = await self._calls.ask("GET", f"{self._files}/generateIds?count=1&space=drive&type=files")
        if answer.status != 200:
            raise refusal(answer, "An ID for the file")
        ids = object_in(answer).get("ids")
        found = ids[0] if isinstance(ids, list) and ids else None
        if not isinstance(found, str) or not _ID.fullmatch(found):
            raise StoreError("The service gave no ID for the file.")
        return found

    async def _find(self, file_id: str) -> Mapping[str, Any] | None:
        answer = await self._calls.ask("GET", self._file(file_id, fields=_FIELDS))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusal(answer, "The folder")
        return object_in(answer)

    async def _upload(self, cargo: Cargo, progress: Progress) -> Mapping[str, Any]:
        offset: int | None = None
        if progress.session:
            told = await self._ask_session(progress, b"", f"bytes */{cargo.size_bytes}")
            if told.status in {200, 201}:
                return await self._present(progress)
            offset = _next_offset(told) if told.status == 308 else None
        if offset is None:
            session = await self._begin(cargo, progress)
            if session is None:
                return await self._present(progress)
            await progress.keep(session=session, offset=0)
            offset = 0
        while True:
            size_bytes = min(PART_BYTES, cargo.size_bytes - offset)
            if size_bytes <= 0:
                raise StoreError("The service has all of the file and does not end the upload.")
            part = await read_part(cargo.path, offset, size_bytes)
            end = offset + size_bytes - 1
            answer = await self._ask_session(progress, part, f"bytes {offset}-{end}/{cargo.size_bytes}")
            if answer.status in {200, 201, 409}:
                return await self._present(progress)
            if answer.status != 308:
                await progress.keep(session="", offset=0)
                raise refusal(answer, "The upload")
            following = _next_offset(answer)
            if following <= offset:
                raise StoreError("The service took nothing of a part of the file.")
            offset = following
            await progress.keep(offset=offset)

    async def _begin(self, cargo: Cargo, progress: Progress) -> str | None:
        """The address of a new upload; None where the file is there."""
        asked = urlencode({"uploadType": "resumable", "supportsAllDrives": "true", "fields": _FIELDS})
        body = {"id": progress.remote_id, "name": cargo.name, "parents": [self._folder.folder_id]}
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "X-Upload-Content-Type": cargo.media_type,
            "X-Upload-Content-Length": str(cargo.size_bytes),
        }
        address = f"{self._base}/upload/drive/v3/files?{asked}"
        answer = await self._calls.ask("POST", address, json.dumps(body).encode(), headers)
        if answer.status == 409:
            return None
        if answer.status != 200:
            raise refusal(answer, "The upload")
        return address_in(answer.headers.get("location"), self._base)

    async def _ask_session(self, progress: Progress, content: bytes, content_range: str) -> Answer:
        """A part, or the question how far the upload is. The address is a credential; others' hosts get no token."""
        is_signed = is_same_origin(progress.session, self._base)
        headers = {"Content-Range": content_range}
        return await self._calls.ask("PUT", progress.session, content, headers, is_signed=is_signed)

    async def _present(self, progress: Progress) -> Mapping[str, Any]:
        found = await self._find(progress.remote_id)
        if found is None:
            raise StoreError("The service says that the file is there, and does not find it.")
        return found

    def _file(self, file_id: str, **asked: str) -> str:
        query = urlencode({**asked, "supportsAllDrives": "true"})
        return f"{self._files}/{quote(file_id, safe='')}?{query}"


def _check_same(file: Mapping[str, Any], cargo: Cargo) -> None:
    """Raise StoreError where the folder has something else under the ID."""
    told = file.get("sha256Checksum")
    is_same = str(file.get("size")) == str(cargo.size_bytes) and not file.get("trashed")
    if not is_same or (isinstance(told, str) and told.lower() != cargo.sha256):
        raise StoreError("The folder has another file under this ID.", is_final=True)


def _next_offset(answer: Answer) -> int:
    """After what has arrived: nothing where the answer names no range."""
    match = _RANGE.fullmatch(answer.headers.get("range", "").strip())
    return int(match[1]) + 1 if match else 0
