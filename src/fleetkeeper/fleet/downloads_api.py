"""`/agent/…`: the agent as an installable wheel, and the script that installs it."""

from fastapi import APIRouter, Request, Response

from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import NotFoundError
from fleetkeeper.fleet.agent_package import AGENT_WHEEL_NAME, build_agent_wheel, install_script
from fleetkeeper.identity.access import public_origin

router = APIRouter(prefix="/agent", tags=["fleet"], include_in_schema=False)


@router.get("/install.sh", responses=problem_responses(400))
async def read_install_script(request: Request) -> Response:
    """The shell script that installs and enrolls an agent."""
    return Response(install_script(public_origin(request)), media_type="text/x-shellscript")


@router.get("/{file_name}", responses=problem_responses(404))
async def read_agent_wheel(file_name: str) -> Response:
    """The agent as a wheel, made from the server's own copy of it, so that both always fit."""
    if file_name != AGENT_WHEEL_NAME:
        raise NotFoundError(f"There is {AGENT_WHEEL_NAME} here, and nothing of that name.")
    return Response(build_agent_wheel(), media_type="application/zip")
