"""What every answer has, whatever it answers: headers, a request's id, problem documents."""

import re

import pytest
from sqlalchemy.exc import OperationalError

from fleetkeeper.kit.http_shell import CONTENT_SECURITY_POLICY
from fleetkeeper.settings import Settings
from fleetkeeper.settings.web import WebSettings
from tests.fixtures.client import running_app

SENDER_PATHS = ("/collectd", "/influx/", "/otlp/", "/prometheus/api/v1/write")

PATHS = ["/", "/sign-in", "/nothing", "/api/v1/nothing", "/api/v1/me", "/api/v1/devices", "/health/live", "/metrics",
         "/static/nothing.css", "/agent/install.sh", "/api/v1/openapi.json"]  # fmt: skip
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def check_headers(answer) -> None:
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert "cache-control" in answer.headers
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]


class TestHeaders:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
    async def test_every_answer_has_them(self, shared, path, method):
        answer = await shared.anonymous.request(method, path)
        assert answer.status_code < 500
        check_headers(answer)

    async def test_policy_allows_no_inline_script(self):
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        assert "script-src 'self'" in CONTENT_SECURITY_POLICY

    async def test_ingest_door_has_them_too(self, shared):
        for answer in (
            await shared.anonymous.post("/api/v1/telemetry", json={"frames": []}),
            await shared.device.client.post("/api/v1/telemetry", json={"frames": []}),
        ):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-request-id"]

    @pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/telemetry"])
    async def test_given_request_id_comes_back(self, shared, path):
        answer = await shared.anonymous.post(path, headers={"X-Request-ID": "batch-7.example_1"})
        assert answer.headers["x-request-id"] == "batch-7.example_1"
        assert answer.json()["request_id"] == "batch-7.example_1"

    @pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/telemetry"])
    @pytest.mark.parametrize("given", ["", "a b", "x" * 101, "<script>", "é".encode(), "a\tb", "a;b"])
    async def test_hostile_request_id_does_not(self, shared, path, given):
        answer = await shared.anonymous.post(path, headers={"X-Request-ID": given})
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])

    async def test_strict_transport_security_over_https_only(self, shared, database_url, tmp_path):
        assert "strict-transport-security" not in (await shared.anonymous.get("/health/live")).headers
        settings = Settings(home=tmp_path, web=WebSettings(allowed_hosts=["localhost"], secure_cookies=True))
        async with running_app(settings, database_url) as secure, secure.client() as client:
            answer = await client.get("/health/live")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


class TestHosts:
    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost.evil.example", "", "localhost:80:80", "127.0.0.1", "[::1]"]
    )
    @pytest.mark.parametrize("path", ["/", "/api/v1/devices", "/health/ready", "/api/v1/telemetry"])
    async def test_another_name_is_refused(self, shared, path, host):
        answer = await shared.admin.request(
            "POST" if path.endswith("telemetry") else "GET", path, headers={"Host": host}
        )
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"field": "Host", "message": "is not on the list of allowed hosts"}
        ]
        check_headers(answer)

    @pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost:8000", "localhost:"])
    async def test_our_name_in_any_form(self, shared, host):
        assert (await shared.anonymous.get("/health/live", headers={"Host": host})).status_code == 200


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/api/v1/nothing", 404),
            ("PUT", "/api/v1/devices", 405),
            ("GET", "/api/v1/telemetry", 405),
            ("GET", "/api/v1/devices/no-uuid", 422),
            ("GET", "/api/v1/devices/%00", 422),
            ("GET", "/api/v1/devices/0198f6a0-0000-7000-8000-000000000001", 404),
            ("GET", "/api/v1/devices?name=%00", 422),
            ("GET", "/api/v1/devices?name=%ff", 200),
            ("GET", "/api/v1/devices?cpu_cores=99999999999999999999", 422),
            ("GET", "/api/v1/telemetry/latest", 422),
            ("GET", "/api/v1/telemetry/sessions?device=x&limit=99999999999999999999999", 422),
            ("PATCH", "/api/v1/config/sampling", 422),
        ],
    )
    async def test_problem_documents(self, shared, method, path, status):
        answer = await shared.admin.request(method, path)
        assert answer.status_code == status, answer.text
        check_headers(answer)
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert problem["status"] == status
            assert problem["title"]
            assert problem["request_id"] == answer.headers["x-request-id"]

    async def test_wrong_method_names_the_right_ones(self, shared):
        answer = await shared.admin.put("/api/v1/devices")
        assert "GET" in answer.headers["allow"]

    async def test_defect_is_answered_without_its_trace(self, app, admin):
        secret = "password of the database"

        @app.asgi.app.app.get("/api/v1/defect")
        async def defect() -> None:
            raise RuntimeError(secret)

        answer = await admin.get("/api/v1/defect")
        assert answer.status_code == 500
        assert secret not in answer.text
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        check_headers(answer)

    async def test_database_that_went_away(self, app, admin):
        @app.asgi.app.app.get("/api/v1/away")
        async def away() -> None:
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

        answer = await admin.get("/api/v1/away")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"


class TestDescription:
    async def test_every_error_is_described_as_a_problem(self, shared):
        document = (await shared.anonymous.get("/api/v1/openapi.json")).json()
        assert "HTTPValidationError" not in document["components"]["schemas"]
        for path, operations in document["paths"].items():
            if path.startswith((*SENDER_PATHS, "/prometheus/", "/alertmanager/")):
                # Senders hear errors in the words of their protocol; tests/telemetry/senders holds them to it.
                continue
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        assert response["content"].keys() == {"application/problem+json"}, (path, status)

    async def test_every_operation_says_what_it_does(self, shared):
        document = (await shared.anonymous.get("/api/v1/openapi.json")).json()
        for path, operations in document["paths"].items():
            for operation in operations.values():
                assert operation["description"].strip().endswith((".", "…")), path
