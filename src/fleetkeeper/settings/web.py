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
        "not count; a failed authentication counts as ten.",
    )
