"""Settings of calls that leave for addresses which people have entered: webhooks, mail servers, chat services."""

from ipaddress import ip_network

from pydantic import BaseModel, Field, field_validator


class OutgoingSettings(BaseModel):
    """Which addresses besides public ones may be called."""

    allowed_networks: list[str] = Field(
        default=[],
        description='Networks besides the public internet that notifications can go to, such as `["10.20.0.0/16"]`.'
        " By default, loopback, private, link-local and metadata addresses are refused.",
    )
    allowed_hosts: list[str] = Field(
        default=[],
        description="Host names that notifications may be sent to, whatever their address, such as "
        '`["mail.internal.example"]`.',
    )

    @field_validator("allowed_networks")
    @classmethod
    def _check_networks(cls, values: list[str]) -> list[str]:
        for value in values:
            ip_network(value)
        return values
