"""Settings of the telemetry door: what one request may hold, and how much may wait."""

from pydantic import BaseModel, Field


class TelemetrySettings(BaseModel):
    """Limits that protect the rest of the fleet from one bad sender."""

    max_body_bytes: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        description="Largest request body as sent, before decompression (bytes).",
    )
    max_decompressed_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="Largest request body once decompressed (bytes)."
    )
    max_frames_per_request: int = Field(default=2000, ge=1, description="Frames in one request.")
    max_values_per_frame: int = Field(default=2000, ge=1, description="Values in one frame.")
    max_channels_per_device: int = Field(
        default=5000, ge=1, description="Different channels that one device may register."
    )
    max_future_seconds: int = Field(
        default=300, ge=0, description="How far ahead of the server's clock a frame may be (seconds)."
    )
    max_age_days: int = Field(default=8, ge=0, description="How old a frame may be when it arrives (days).")
    max_pending_frames: int = Field(
        default=50_000, ge=1, description="Frames that may wait to be written, per web process; 429 beyond."
    )
    max_requests_in_flight: int = Field(
        default=2000, ge=1, description="Concurrent requests with frames, per web process; 429 beyond."
    )
    max_requests_in_flight_per_device: int = Field(
        default=32, ge=1, description="Concurrent requests with frames of one device."
    )
    writers: int = Field(
        default=2,
        ge=1,
        le=16,
        description="Database connections per web process that write frames: one fills while another commits.",
    )
    max_samples_per_request: int = Field(
        default=100_000, ge=1, description="Samples in one request of an integration such as Prometheus."
    )
    max_reading_seconds: float = Field(
        default=5.0, gt=0, description="Processor time for reading one request of an integration (seconds)."
    )
    max_sender_requests_in_flight: int = Field(
        default=100,
        ge=1,
        description="Concurrent requests of integrations, per web process; 429 or 503 beyond.",
    )
    max_known_series: int = Field(
        default=300_000,
        ge=0,
        description="Series of integrations that a web process caches (about 0.5 KiB each); beyond, it is emptied.",
    )
    presence_seconds: int = Field(
        default=10,
        ge=1,
        le=300,
        description="How often `last_seen` of a device is written while it reports (seconds).",
    )
    max_points_per_series: int = Field(
        default=11_000, ge=10, description="Points that one series of a range query may have."
    )
    max_points_per_answer: int = Field(
        default=1_000_000,
        ge=10_000,
        description="Points that one response may have, over all of its series. Each takes about 100 bytes of memory.",
    )
    max_samples_per_query: int = Field(
        default=50_000_000, ge=1000, description="Raw samples that one range query may read."
    )
    max_series_per_query: int = Field(
        default=100_000, ge=10, description="Series that one query over the fleet may select."
    )
    seal_after_minutes: int = Field(
        default=120,
        ge=1,
        description="A device's frames are sealed when the oldest has this age (minutes), or",
    )
    seal_after_frames: int = Field(
        default=2000, ge=1, description="when the device has this many frames that have settled."
    )
    seal_settle_seconds: int = Field(
        default=300,
        ge=0,
        description="Frames settle after this time: newer ones are not sealed yet (seconds).",
    )
