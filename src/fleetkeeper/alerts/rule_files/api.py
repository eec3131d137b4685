"""`/api/v1/alert-rules/import`, `/file` and `/files`: Prometheus' rule files."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from fleetkeeper.alerts.rule_files import service
from fleetkeeper.alerts.rule_files.contents import RuleFile
from fleetkeeper.alerts.rule_files.nodes import MOST_BYTES
from fleetkeeper.alerts.rule_files.schemas import FileName, RuleFileImport, RuleFileRead
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

AlertsRead = Annotated[Actor, Depends(require(Permission.ALERTS_READ))]
AlertsWrite = Annotated[Actor, Depends(require(Permission.ALERTS_WRITE))]
_YAML = "application/yaml"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_YAML: {"schema": {"type": "string", "maxLength": MOST_BYTES}}},
    }
}
# A document of YAML, which readers of the description may parse.
_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {_YAML: {"schema": {}}}}}

router = APIRouter(prefix="/alert-rules", tags=["alert-rules"])


async def _contents(request: Request) -> RuleFile:
    body = await request.body()
    try:
        return service.read(body.decode())
    except UnicodeDecodeError:
        wrong = FieldError("file", "The file is not UTF-8")
        raise InvalidInputError("The rule file cannot be read.", fields=[wrong]) from None


@router.post("/import", responses=problem_responses(400, 401, 403, 409, 413, 422), openapi_extra=_BODY)
async def import_rule_file(
    actor: AlertsWrite,
    contents: Annotated[RuleFile, Depends(_contents)],
    session: Session,
    file: Annotated[FileName, Query(description="Name of the file, whose rules are replaced")],
    *,
    dry_run: Annotated[bool, Query(description="Only say what would be done")] = False,
) -> RuleFileImport:
    """Replace the rules of a Prometheus rule file; rules that are gone from it are deleted."""
    return await service.import_file(session, actor, file, contents, is_dry_run=dry_run)


@router.get("/file", response_class=Response, responses=_ANSWER | problem_responses(401, 403, 404, 422))
async def export_rule_file(
    actor: AlertsRead,
    session: Session,
    name: Annotated[
        FileName | None, Query(description="An imported file; by default the PromQL rules made here")
    ] = None,
) -> Response:
    """Get alert rules as a Prometheus rule file."""
    text = await service.export_file(session, actor, name)
    return Response(text, media_type=_YAML)


@router.get("/files", responses=problem_responses(401, 403))
async def list_rule_files(actor: AlertsRead, session: Session) -> list[RuleFileRead]:
    """List the rule files of the server's folder, with what is wrong with them."""
    return await service.list_files(session, actor)
