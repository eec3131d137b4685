"""What the API says of a search."""

from uuid import UUID

from pydantic import BaseModel, Field


class SearchHit(BaseModel):
    """Something that a search found."""

    kind: str = Field(
        description="device, component, interface, address, config, note, file, tag, location, …"
    )
    id: UUID
    title: str
    detail: str = Field(description="What it belongs to, or what else tells it apart")
    field: str | None = Field(default=None, description="Where the text stands, if not in the title")
    match: str | None = Field(default=None, description="The text there, or the part of it around the match")
    href: str = Field(description="Its page in the console")
    status: str | None = Field(default=None, description="Of a device")
    score: float = Field(description="1 for what is exactly that, less for what begins so or has it in it")


class SearchAnswer(BaseModel):
    """The best hits, best first."""

    results: list[SearchHit]
    is_cut: bool = Field(description="Whether there is more than is told; type more to narrow it")
    unfinished: list[str] = Field(
        description="Kinds of which not all were looked at, as it took too long; what was found of others is told"
    )
