"""Settings of the web server."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, Field


class WebSettings(BaseModel):
    """Where the product listens, and under which names."""

    host: str = Field(default="127.0.0.1", description="Address to listen on. Default: loopback only.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on.")
    processes: int = Field(default=1, ge=1, le=64, description="Web processes that share the port.")
    allowed_hosts: list[str] = Field(
        default=["localhost", "127.0.0.1", "[::1]"],
        description="Host names that the `Host` header of a request may have, as a JSON list. Others are refused.",
    )
    public_origin: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$",
        description="URL at which browsers and machines reach Fleetkeeper, such as `https://fleet.example.org`. Used "
        "in the install script, OIDC redirects, SCIM and configurations to copy. Default: the host of the request, "
        "with https unless that is this machine.",
    )
    secure_cookies: bool = Field(
        default=False,
        description="Set to `true` when browsers reach Fleetkeeper over https: cookies get the `__Host-` prefix and "
        "`Secure`, and HSTS is sent.",
    )
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[],
        description="Addresses or networks of proxies whose `X-Forwarded-For` is trusted, as a JSON list. From other "
        "addresses the header is ignored.",
    )
    requests_per_minute_per_token: int = Field(
        default=3000,
        ge=10,
        description="Requests of one API token or device key, per minute and web process; 429 beyond.",
    )
    requests_per_minute_per_address: int = Field(
        default=12_000,
        ge=10,
        description="Requests of one address, per minute and web process; 429 beyond. Requests with a device key do "
        "not count. Failed authentications of one address are limited to a fortieth of it; beyond that, credentials "
        "from there that have not been valid before are refused with 429 as well.",
    )
    max_connections: int = Field(
        default=10_000,
        ge=100,
        description="Open connections per web process, if the limit of open files allows. Beyond it, connections "
        "without a request are closed.",
    )
    max_head_bytes: int = Field(
        default=65_536, ge=8192, description="Largest request line with headers (bytes); 431 beyond."
    )
    head_seconds: int = Field(
        default=15,
        ge=1,
        le=600,
        description="Timeout for the request line and headers (seconds), for the first request from the start of the "
        "connection; 408 beyond.",
    )
    max_unfinished_heads_per_address: int = Field(
        default=100,
        ge=1,
        description="Connections of one address with incomplete request headers, per web process. Beyond it, the "
        "oldest is closed. Does not apply to trusted proxies.",
    )
    stalled_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Time after which the connection of a client that does not read its response is closed (seconds).",
    )
    body_grace_seconds: int = Field(
        default=10, ge=1, le=600, description="Grace time for a request body to arrive (seconds)."
    )
    min_body_bytes_per_second: int = Field(
        default=4096,
        ge=1,
        description="Minimum rate for bodies that take longer than the grace time (bytes per second); 408 below.",
    )
    max_body_megabytes: int = Field(
        default=128,
        ge=32,
        description="Request bodies that one web process holds at once (MiB), separately for frames and for all other "
        "requests; 429 beyond. One caller with several requests may use a quarter.",
    )
    max_requests_in_flight: int = Field(
        default=500, ge=1, description="Concurrent requests with bodies, per web process; 429 beyond."
    )
    max_requests_in_flight_per_caller: int = Field(
        default=64,
        ge=1,
        description="Concurrent requests with bodies of one session, API token or device key, or of one address where "
        "no credential is needed.",
    )
    max_requests_at_once_per_caller: int = Field(
        default=6,
        ge=1,
        description="Requests of one session, API token or device key that run at the same time, per web process. "
        "Others wait, so that nobody uses all connections of the pool (`FLEETKEEPER_DATABASE__POOL_SIZE`). Writing "
        "samples, PromQL and live views have their own limits.",
    )
    max_live_views: int = Field(
        default=500, ge=1, description="Concurrent live views, per web process; 429 beyond."
    )
    max_live_views_per_caller: int = Field(
        default=20, ge=1, description="Live views of one user, per web process; 429 beyond."
    )
    max_live_views_per_address: int = Field(
        default=100, ge=1, description="Live views of one address, per web process; 429 beyond."
    )
