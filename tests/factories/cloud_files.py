"""Microsoft Graph and Google Drive as they are documented, on this machine: with tokens that expire, throttling,
connections that drop in the middle of a part, conflicts, and pages."""

import asyncio
import base64
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fleetkeeper.cloud_files.providers.quick_xor import quick_xor_hash

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass
class Asked:
    """A request as it came; of one whose connection was dropped, what had arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")


@dataclass
class Answered:
    status: int = 200
    said: Any = None
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


# Chooses what goes wrong with a request: `throttle`, `drop` in the middle of its body, `lose` the answer, or nothing.
Fault = Callable[[Asked], str]


def _no_fault(asked: Asked) -> str:
    del asked
    return ""


@dataclass
class WebFake:
    """A service on this machine that keeps what it was asked."""

    folder: Path
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    fault: Fault = _no_fault
    tokens: set[str] = field(default_factory=set)
    sign_ins: int = 0
    # A token is good for so many requests.
    uses_of_token: int = 1_000_000
    _uses: int = 0

    async def answer(self, asked: Asked) -> Answered:
        raise NotImplementedError

    def throttled(self) -> Answered:
        return Answered(429, {"error": {"code": "activityLimitReached"}}, headers={"Retry-After": "7"})

    def signed_in(self, **more: Any) -> Answered:
        self.sign_ins += 1
        token = uuid4().hex
        self.tokens, self._uses = {token}, 0
        return Answered(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600} | more)

    def is_signed(self, asked: Asked) -> bool:
        self._uses += 1
        if self._uses > self.uses_of_token:
            self.tokens = set()
        return asked.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            parts = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(method, unquote(parts.path), query, headers, b"")
            length = int(headers.get("content-length", 0))
            fault = self.fault(asked)
            asked.body = await reader.readexactly(length // 2 if fault == "drop" else length)
            self.asked.append(asked)
            if fault != "drop":
                answered = self.throttled() if fault == "throttle" else await self.answer(asked)
                if fault != "lose":
                    writer.write(_message(answered))
                    await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


def _message(answered: Answered) -> bytes:
    content = answered.content if answered.said is None else json.dumps(answered.said).encode()
    lines = [f"HTTP/1.1 {answered.status} Word", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in answered.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@contextlib.asynccontextmanager
async def serving(fake: WebFake) -> AsyncIterator[None]:
    """The service at work."""
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    async with server:
        fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield


@dataclass
class Session:
    """An upload that has begun."""

    name: str
    total: int = 0
    received: bytearray = field(default_factory=bytearray)


@dataclass
class GraphFake(WebFake):
    """https://learn.microsoft.com/graph/api/driveitem-createuploadsession, and what is beside it."""

    secret: str = "client secret"
    items: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    page_size: int = 200

    async def answer(self, asked: Asked) -> Answered:  # noqa: PLR0911 - one for each door
        if asked.path.endswith("/oauth2/v2.0/token"):
            form = parse_qs(asked.body.decode())
            if form["client_secret"] != [self.secret] or form["grant_type"] != ["client_credentials"]:
                return Answered(401, {"error": "invalid_client"})
            return self.signed_in()
        if asked.path.startswith("/up/"):
            # As documented: a token beside the session's own address is refused.
            if "authorization" in asked.headers:
                return Answered(401, {"error": {"code": "unauthenticated"}})
            return self._upload(asked)
        if asked.path.startswith("/down/"):
            return Answered(content=self._by_id(asked.path.removeprefix("/down/"))[1])
        if not self.is_signed(asked):
            return Answered(401, {"error": {"code": "InvalidAuthenticationToken"}})
        return self._drive(asked)

    def _drive(self, asked: Asked) -> Answered:
        _, _, rest = asked.path.partition("/drives/lib!1/")
        if rest.endswith(":/createUploadSession"):
            path = rest.removeprefix("root:/").removesuffix(":/createUploadSession")
            if path in self.items and asked.json()["item"]["@microsoft.graph.conflictBehavior"] == "fail":
                return Answered(409, {"error": {"code": "nameAlreadyExists"}})
            key = uuid4().hex
            self.sessions[key] = Session(path)
            return Answered(200, {"uploadUrl": f"{self.url}/up/{key}", "nextExpectedRanges": ["0-"]})
        if rest.endswith("/children"):
            return self._children(asked)
        if rest.startswith("items/"):
            path = next((path for path, item in self.items.items() if item[0] == rest[6:]), "")
        else:
            path = rest.removeprefix("root:/")
        if path not in self.items:
            return Answered(404, {"error": {"code": "itemNotFound"}})
        if asked.method == "DELETE":
            del self.items[path]
            return Answered(204)
        return Answered(200, self._item(path))

    def _children(self, asked: Asked) -> Answered:
        start = int(asked.query.get("$skiptoken", "0"))
        names = sorted(self.items)[start : start + self.page_size]
        said: dict[str, Any] = {"value": [{"id": self.items[one][0], "name": one} for one in names]}
        if start + self.page_size < len(self.items):
            said["@odata.nextLink"] = f"{self.url}{quote(asked.path)}?$skiptoken={start + self.page_size}"
        return Answered(200, said)

    def _upload(self, asked: Asked) -> Answered:
        session = self.sessions.get(asked.path.removeprefix("/up/"))
        if session is None:
            return Answered(404, {"error": {"code": "itemNotFound"}})
        if asked.method == "GET":
            return Answered(200, {"nextExpectedRanges": [f"{len(session.received)}-"]})
        first, last, total = map(int, CONTENT_RANGE.fullmatch(asked.headers["content-range"]).groups())
        if first != len(session.received):
            return Answered(416, {"error": {"code": "invalidRange"}})
        assert last - first + 1 == len(asked.body)
        assert (last + 1 == total) or len(asked.body) % (320 * 1024) == 0, "not a multiple of 320 KiB"
        session.received += asked.body
        if len(session.received) < total:
            return Answered(202, {"nextExpectedRanges": [f"{len(session.received)}-{total - 1}"]})
        del self.sessions[asked.path.removeprefix("/up/")]
        if session.name in self.items:
            return Answered(409, {"error": {"code": "nameAlreadyExists"}})
        self.items[session.name] = (f"01{uuid4().hex[:16].upper()}", bytes(session.received))
        return Answered(201, self._item(session.name))

    def _item(self, path: str) -> dict[str, Any]:
        key, content = self.items[path]
        file = self.folder / f"graph-{key}"
        file.write_bytes(content)
        return {
            "id": key,
            "name": path.rpartition("/")[2],
            "size": len(content),
            "file": {"hashes": {"quickXorHash": quick_xor_hash(file)}},
            "@microsoft.graph.downloadUrl": f"{self.url}/down/{key}",
        }

    def _by_id(self, key: str) -> tuple[str, bytes]:
        return next(item for item in self.items.values() if item[0] == key)


@cache
def key_file() -> str:
    """A service account's key file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {"type": "service_account", "client_email": "fleet@example.iam", "private_key": pem.decode()}
    )


@dataclass
class DriveFake(WebFake):
    """https://developers.google.com/workspace/drive/api/guides/manage-uploads, and what is beside it."""

    folder_id: str = "folder-0001"
    # By ID: the name and the content.
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    page_size: int = 200

    def throttled(self) -> Answered:
        error = {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}]}
        return Answered(403, {"error": error})

    async def answer(self, asked: Asked) -> Answered:
        if asked.path == "/token":
            form = parse_qs(asked.body.decode())
            _, claims, _ = form["assertion"][0].split(".")
            told = json.loads(base64.urlsafe_b64decode(claims + "=="))
            assert told["iss"] == "fleet@example.iam"
            assert told["exp"] - told["iat"] <= 3600
            assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            return self.signed_in()
        if not self.is_signed(asked):
            return Answered(401, {"error": {"code": 401, "errors": [{"reason": "authError"}]}})
        if asked.path == "/drive/v3/files/generateIds":
            return Answered(200, {"ids": [f"made-{uuid4().hex}"]})
        if asked.path == "/upload/drive/v3/files":
            return self._upload(asked)
        if asked.path == "/drive/v3/files":
            return self._list(asked)
        return self._file(asked, asked.path.rpartition("/")[2])

    def _file(self, asked: Asked, key: str) -> Answered:
        if key == self.folder_id:
            return Answered(200, {"id": key, "name": "Fleet"})
        if key not in self.files:
            return Answered(404, {"error": {"code": 404, "errors": [{"reason": "notFound"}]}})
        if asked.method == "DELETE":
            del self.files[key]
            return Answered(204)
        if asked.query.get("alt") == "media":
            return Answered(content=self.files[key][1])
        return Answered(200, self._told(key))

    def _upload(self, asked: Asked) -> Answered:
        if asked.method == "POST":
            return self._begin(asked)
        session = self.sessions.get(asked.query["upload_id"])
        if session is None:
            return Answered(404)
        if asked.headers["content-range"].startswith("bytes */"):
            return self._incomplete(session)
        first, _, total = map(int, CONTENT_RANGE.fullmatch(asked.headers["content-range"]).groups())
        if first == len(session.received):
            session.received += asked.body
            assert len(session.received) == total or len(asked.body) % (256 * 1024) == 0
        if len(session.received) < total:
            return self._incomplete(session)
        del self.sessions[asked.query["upload_id"]]
        file_id, _, name = session.name.partition("/")
        if file_id in self.files:
            return self._in_use()
        self.files[file_id] = (name, bytes(session.received))
        return Answered(200, self._told(file_id))

    def _begin(self, asked: Asked) -> Answered:
        told = asked.json()
        if told["id"] in self.files:
            return self._in_use()
        assert told["parents"] == [self.folder_id]
        key = uuid4().hex
        self.sessions[key] = Session(
            f"{told['id']}/{told['name']}", int(asked.headers["x-upload-content-length"])
        )
        where = f"{self.url}{asked.path}?uploadType=resumable&upload_id={key}"
        return Answered(200, headers={"Location": where})

    def _in_use(self) -> Answered:
        return Answered(409, {"error": {"code": 409, "errors": [{"reason": "fileIdInUse"}]}})

    def _incomplete(self, session: Session) -> Answered:
        received = len(session.received)
        return Answered(308, headers={"Range": f"bytes=0-{received - 1}"} if received else {})

    def _list(self, asked: Asked) -> Answered:
        start = int(asked.query.get("pageToken", "0"))
        keys = sorted(self.files)[start : start + self.page_size]
        said: dict[str, Any] = {"files": [{"id": one} for one in keys]}
        if start + self.page_size < len(self.files):
            said["nextPageToken"] = str(start + self.page_size)
        return Answered(200, said)

    def _told(self, key: str) -> dict[str, Any]:
        content = self.files[key][1]
        return {
            "id": key,
            "size": str(len(content)),
            "sha256Checksum": hashlib.sha256(content).hexdigest(),
            "trashed": False,
        }
