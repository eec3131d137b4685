"""The texts that people give to objects of this room."""

from typing import Annotated

from pydantic import Field

# Something must be in it besides spaces, and PostgreSQL knows no NUL.
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
LongName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
FullName = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
Description = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
MailAddress = Annotated[str, Field(max_length=255, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
