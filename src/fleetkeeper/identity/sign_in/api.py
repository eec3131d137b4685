"""`/api/v1/sign-in/passkey…`, `/api/v1/account/…` and `/api/v1/users/{id}/second-factor/reset`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.access import ReasonGiven, SignedInToEnrol, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.sign_in import confirmation, factors, service, totp
from fleetkeeper.identity.sign_in.access import (
    AtDoor,
    Desk,
    MaybeParty,
    Party,
    refuse_foreign_site,
    set_challenge_cookie,
    set_outcome_cookies,
)
from fleetkeeper.identity.sign_in.desk import Proof
from fleetkeeper.identity.sign_in.schemas import (
    Confirmation,
    PasskeyAnswer,
    PasskeyCreate,
    PasskeyCreated,
    PasskeyList,
    PasskeyOptions,
    PasskeyRead,
    PasskeyRename,
    PasswordChange,
    PasswordChanged,
    RecoveryCodes,
    TotpBegun,
    TotpCode,
)
from fleetkeeper.kit.clock import utc_now

router = APIRouter(tags=["sign-in"])

UsersWrite = Annotated[Actor, Depends(require(Permission.USERS_WRITE))]
_ACCOUNT = problem_responses(400, 401, 403, 404, 409, 422, 429)


@router.post(
    "/sign-in/passkey/options",
    responses=problem_responses(403, 422),
    dependencies=[Depends(refuse_foreign_site)],
)
async def ask_for_passkey(
    response: Response, settings: AppSettings, desk: Desk, visit: AtDoor, party: Party
) -> PasskeyOptions:
    """Begin a sign-in by passkey, or its second step. For browsers: a cookie belongs to the answer."""
    question, secret = await service.ask_for_passkey(desk, visit, party)
    set_challenge_cookie(response, settings, secret)
    return PasskeyOptions(public_key=question.options)


@router.post(
    "/sign-in/passkey",
    status_code=204,
    responses=problem_responses(400, 401, 403, 422, 429),
    dependencies=[Depends(refuse_foreign_site)],
)
async def sign_in_with_passkey(
    response: Response, settings: AppSettings, desk: Desk, visit: AtDoor, party: Party, body: PasskeyAnswer
) -> None:
    """Finish a sign-in by passkey. The session is in the answer's cookie."""
    opened = await service.sign_in_with_passkey(desk, visit, body.credential, party)
    set_outcome_cookies(response, settings, desk, opened)


@router.post("/account/password", responses=_ACCOUNT)
async def change_password(
    actor: SignedInToEnrol, desk: Desk, visit: AtDoor, body: PasswordChange
) -> PasswordChanged:
    """Change one's password. All other sessions end."""
    ended, tokens = await confirmation.change_password(
        desk,
        visit,
        actor,
        body.current_password.get_secret_value(),
        body.new_password.get_secret_value(),
        utc_now(),
        with_tokens=body.revoke_tokens,
    )
    return PasswordChanged(ended_sessions=ended, remaining_tokens=tokens)


@router.post("/account/confirmation", status_code=204, responses=_ACCOUNT)
async def confirm(
    actor: SignedInToEnrol, desk: Desk, visit: AtDoor, party: MaybeParty, body: Confirmation
) -> None:
    """Prove again who one is; for ten minutes factors may then be changed."""
    password, proof = _read_confirmation(body)
    await confirmation.confirm(desk, visit, actor, password=password, proof=proof, party=party, now=utc_now())


def _read_confirmation(body: Confirmation) -> tuple[str | None, Proof | None]:
    if len(body.model_dump(exclude_none=True)) != 1:
        raise InvalidInputError(
            "Confirm your identity.",
            fields=[
                FieldError("password", "Must contain one of password, code, recovery_code or credential")
            ],
        )
    if body.password is not None:
        return body.password.get_secret_value(), None
    return None, Proof(body.code or "", body.recovery_code or "", body.credential)


@router.post("/account/confirmation/passkey-options", responses=_ACCOUNT)
async def ask_to_confirm(actor: SignedInToEnrol, session: Session, party: Party) -> PasskeyOptions:
    """Begin a confirmation by passkey."""
    return PasskeyOptions(public_key=await confirmation.ask_to_confirm(session, actor, party, utc_now()))


@router.post("/account/totp", status_code=201, responses=_ACCOUNT)
async def begin_totp(actor: SignedInToEnrol, session: Session, desk: Desk) -> TotpBegun:
    """Make a secret for an authenticator app. It counts once a code of it was entered."""
    begun = await factors.begin_totp(session, desk.sealer, actor, utc_now())
    return TotpBegun(secret=begun.secret, uri=begun.uri, qr_code=totp.qr_code(begun.uri))


@router.post("/account/totp/confirm", responses=_ACCOUNT)
async def confirm_totp(actor: SignedInToEnrol, session: Session, desk: Desk, body: TotpCode) -> RecoveryCodes:
    """Enter the first code of an authenticator app."""
    codes = await factors.confirm_totp(session, desk.sealer, actor, body.code, utc_now())
    return RecoveryCodes(recovery_codes=codes)


@router.delete("/account/totp", status_code=204, responses=_ACCOUNT)
async def remove_totp(actor: SignedInToEnrol, session: Session) -> None:
    """Remove the authenticator app."""
    await factors.remove_totp(session, actor, utc_now())


@router.get("/account/passkeys", responses=problem_responses(401, 403))
async def list_passkeys(actor: SignedInToEnrol, session: Session) -> PasskeyList:
    """List one's passkeys."""
    found = (await confirmation.security_of(session, actor, utc_now())).factors.passkeys
    return PasskeyList(count=len(found), results=[PasskeyRead.model_validate(passkey) for passkey in found])


@router.post("/account/passkeys/options", responses=_ACCOUNT)
async def begin_passkey(actor: SignedInToEnrol, session: Session, party: Party) -> PasskeyOptions:
    """Begin to add a passkey."""
    return PasskeyOptions(public_key=await factors.begin_passkey(session, actor, party, utc_now()))


@router.post("/account/passkeys", status_code=201, responses=_ACCOUNT)
async def finish_passkey(
    actor: SignedInToEnrol, session: Session, party: Party, body: PasskeyCreate
) -> PasskeyCreated:
    """Finish to add a passkey."""
    passkey, codes = await factors.finish_passkey(
        session, actor, party, body.name, body.credential, utc_now()
    )
    return PasskeyCreated(passkey=PasskeyRead.model_validate(passkey), recovery_codes=codes)


@router.patch("/account/passkeys/{passkey_id}", responses=_ACCOUNT)
async def rename_passkey(
    passkey_id: UUID, actor: SignedInToEnrol, session: Session, body: PasskeyRename
) -> PasskeyRead:
    """Give a passkey another name."""
    return PasskeyRead.model_validate(await factors.rename_passkey(session, actor, passkey_id, body.name))


@router.delete("/account/passkeys/{passkey_id}", status_code=204, responses=_ACCOUNT)
async def remove_passkey(passkey_id: UUID, actor: SignedInToEnrol, session: Session) -> None:
    """Remove a passkey."""
    await factors.remove_passkey(session, actor, passkey_id, utc_now())


@router.post("/account/recovery-codes", responses=_ACCOUNT)
async def renew_recovery_codes(actor: SignedInToEnrol, session: Session) -> RecoveryCodes:
    """Make new recovery codes. The old ones end."""
    return RecoveryCodes(recovery_codes=await factors.renew_recovery_codes(session, actor, utc_now()))


@router.post(
    "/users/{user_id}/second-factor/reset",
    status_code=204,
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def reset_second_factor(
    user_id: UUID, actor: UsersWrite, reason: ReasonGiven, session: Session
) -> None:
    """Remove a user's factors, because they were lost. Their sessions end. Needs a reason."""
    del reason
    await factors.reset_second_factor(session, actor, user_id)
