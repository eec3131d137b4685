"""Settings of the web server."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, Field


class WebSettings(BaseModel):
    """Where the product listens, and under which names."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback unless you open it.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on.")
    processes: int = Field(default=1, ge=1, le=64, description="Web processes that share the port.")
    allowed_hosts: list[str] = Field(
        default=["localhost", "127.0.0.1", "[::1]"],
        description="Names that a request's Host header may have, as a JSON list; others are refused.",
    )
    public_origin: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$",
        description="Address under which browsers and machines reach the product, such as `https://fleet.example.org`. "
        "Install script, OIDC redirects, SCIM and configurations to copy name it. Without it, the host of the request, "
        "with https unless that is this machine.",
    )
    secure_cookies: bool = Field(
        default=False,
        description="Set to true when browsers reach the product over https: cookies get the `__Host-` prefix and "
        "`Secure`, and HSTS is sent.",
    )
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[],
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, as a JSON list. From anybody "
        "else the header is ignored.",
    )
    requests_per_minute_per_token: int = Field(
        default=3000,
        ge=10,
        description="Requests of one API token or device key, per minute and web process, before 429.",
    )
    requests_per_minute_per_address: int = Field(
        default=12_000,
        ge=10,
        description="Requests of one address, per minute and web process, before 429. Those with a device's key do "
        "not count. A fortieth of it bounds failed authentications of an address, after which credentials from there "
        "that were not good before are refused with 429, too.",
    )
    max_connections: int = Field(
        default=10_000,
        ge=100,
        description="Open connections per web process, if the limit of open files allows. Beyond it those that have "
        "not sent a request give way.",
    )
    max_head_bytes: int = Field(
        default=65_536, ge=8192, description="Largest request line with headers (bytes); 431 beyond."
    )
    head_seconds: int = Field(
        default=15,
        ge=1,
        le=600,
        description="Time that a request's line and headers have to arrive (seconds), the first from the connection "
        "on; 408 beyond.",
    )
    max_unfinished_heads_per_address: int = Field(
        default=100,
        ge=1,
        description="Connections of one address, per web process, whose request's headers are not all there yet; the "
        "oldest gives way. Trusted proxies have no such limit.",
    )
    stalled_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Time after which a client that takes nothing of a waiting answer loses its connection (seconds).",
    )
    body_grace_seconds: int = Field(
        default=10, ge=1, le=600, description="Time that each request body has to arrive (seconds)."
    )
    min_body_bytes_per_second: int = Field(
        default=4096,
        ge=1,
        description="Slowest rate for bodies that take longer than the grace time (bytes per second); 408 beyond.",
    )
    max_body_megabytes: int = Field(
        default=128,
        ge=32,
        description="Request bodies that one web process holds at once (MiB), of frames and of all other requests; 429 "
        "beyond. One caller's share is a quarter when it sends several.",
    )
    max_requests_in_flight: int = Field(
        default=500, ge=1, description="Requests with bodies at once, per web process, before 429."
    )
    max_requests_in_flight_per_caller: int = Field(
        default=64,
        ge=1,
        description="How many of these one session, API token or device key may have, and one address where no "
        "credential is needed.",
    )
    max_requests_at_once_per_caller: int = Field(
        default=6,
        ge=1,
        description="Requests of one session, API token or device key that are worked on at once, per web process. "
        "More wait, so that nobody holds all connections of the pool (`FLEETKEEPER_DATABASE__POOL_SIZE`). Writing "
        "samples, PromQL and live views have limits of their own.",
    )
    max_live_views: int = Field(
        default=500, ge=1, description="Live views at once, per web process, before 429."
    )
    max_live_views_per_caller: int = Field(
        default=20, ge=1, description="Live views of one user, per web process, before 429."
    )
    max_live_views_per_address: int = Field(
        default=100, ge=1, description="Live views of one address, per web process, before 429."
    )
