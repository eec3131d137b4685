"""`/account/security`: password, second factors, recovery codes."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.account_security import (
    PasskeyRow,
    SecurityPage,
    SecurityPart,
    TotpSetup,
)
from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.panels import at_entries
from fleetkeeper.console.rendering import names_of, render
from fleetkeeper.console.requests import FormLists, FormValues, is_fragment_request
from fleetkeeper.console.security_forms import CONFIRM, PASSWORD, TOTP, security_forms
from fleetkeeper.database.request_session import context_of
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedInToEnrol
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.sign_in import confirmation, factors, totp
from fleetkeeper.identity.sign_in.access import AtDoor, Desk, find_relying_party
from fleetkeeper.identity.sign_in.desk import Proof, SignInDesk
from fleetkeeper.kit.clock import utc_now

router = APIRouter(prefix="/account/security")
declare(
    Place(
        "/account/security",
        "Sign-in and security",
        "shield-lock",
        None,
        group=ACCOUNT,
        order=20,
        parent="/account",
        words="password passkey second factor recovery codes",
    )
)


@router.get("")
async def show_security(request: Request, actor: SignedInToEnrol, desk: Desk) -> Response:
    """How the account is protected."""
    return await _answer(request, actor, desk)


@router.post("/confirm")
async def confirm(
    request: Request, actor: SignedInToEnrol, sent: FormLists, desk: Desk, visit: AtDoor
) -> Response:
    """Prove again who one is."""
    try:
        proof = CONFIRM.read(sent)
        password = proof.password.get_secret_value() if proof.password is not None else ""
        await confirmation.confirm(
            desk,
            visit,
            actor,
            password=None if proof.code else password,
            proof=Proof(code=proof.code) if proof.code else None,
            party=None,
            now=utc_now(),
        )
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal(CONFIRM.id, error, sent))
    return await _answer(request, actor, desk, message="Confirmed. You may change how you sign in now.")


@router.post("/password")
async def change_password(
    request: Request, actor: SignedInToEnrol, sent: FormLists, desk: Desk, visit: AtDoor
) -> Response:
    """Change the password; the other sessions end."""
    try:
        wanted = PASSWORD.read(sent)
        ended, tokens = await confirmation.change_password(
            desk,
            visit,
            actor,
            wanted.current_password.get_secret_value(),
            wanted.new_password.get_secret_value(),
            utc_now(),
            with_tokens=wanted.revoke_tokens,
        )
    except FleetkeeperError as error:
        at_new = at_entries(error, {"password": "new_password"})
        return await _refused(request, actor, desk, Refusal(PASSWORD.id, at_new, sent))
    others = f" {ended} other session{'s' if ended != 1 else ''} ended." if ended else ""
    left = f" These API tokens still work: {', '.join(tokens)}." if tokens else ""
    return await _answer(request, actor, desk, message=f"Your password is changed.{others}{left}")


@router.post("/totp")
async def begin_totp(request: Request, actor: SignedInToEnrol, desk: Desk) -> Response:
    """Show the secret of a new authenticator app."""
    try:
        async with desk.database.session(context_of(request)) as session:
            await factors.begin_totp(session, desk.sealer, actor, utc_now())
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal("", error, {}))
    return await _answer(request, actor, desk)


@router.post("/totp/confirm")
async def confirm_totp(request: Request, actor: SignedInToEnrol, sent: FormLists, desk: Desk) -> Response:
    """Take the first code of the authenticator app."""
    try:
        code = TOTP.read(sent).code
        async with desk.database.session(context_of(request)) as session:
            codes = await factors.confirm_totp(session, desk.sealer, actor, code, utc_now())
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal(TOTP.id, error, sent))
    return await _answer(request, actor, desk, message="Your authenticator app is set up.", codes=codes)


@router.post("/totp/remove")
async def remove_totp(request: Request, actor: SignedInToEnrol, desk: Desk) -> Response:
    """Remove the authenticator app."""
    try:
        async with desk.database.session(context_of(request)) as session:
            await factors.remove_totp(session, actor, utc_now())
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal("", error, {}))
    return await _answer(request, actor, desk, message="The authenticator app is removed.")


@router.post("/passkeys/{passkey_id}/remove")
async def remove_passkey(passkey_id: UUID, request: Request, actor: SignedInToEnrol, desk: Desk) -> Response:
    """Remove a passkey."""
    try:
        async with desk.database.session(context_of(request)) as session:
            await factors.remove_passkey(session, actor, passkey_id, utc_now())
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal("", error, {}))
    return await _answer(request, actor, desk, message="The passkey is removed.")


@router.post("/passkeys/{passkey_id}/rename")
async def rename_passkey(
    passkey_id: UUID, request: Request, actor: SignedInToEnrol, form: FormValues, desk: Desk
) -> Response:
    """Give a passkey another name."""
    try:
        async with desk.database.session(context_of(request)) as session:
            await factors.rename_passkey(session, actor, passkey_id, form.get("name", ""))
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal("", error, {}))
    return await _answer(request, actor, desk, message="The passkey has its new name.")


@router.post("/recovery-codes")
async def renew_recovery_codes(request: Request, actor: SignedInToEnrol, desk: Desk) -> Response:
    """Make new recovery codes and show them, this one time."""
    try:
        async with desk.database.session(context_of(request)) as session:
            codes = await factors.renew_recovery_codes(session, actor, utc_now())
    except FleetkeeperError as error:
        return await _refused(request, actor, desk, Refusal("", error, {}))
    return await _answer(request, actor, desk, message="Here are your new recovery codes.", codes=codes)


async def _refused(request: Request, actor: Actor, desk: SignInDesk, refusal: Refusal) -> Response:
    """The page again with what was wrong; other kinds of errors are shown as everywhere."""
    if refusal.error.status not in {403, 409, 422}:
        raise refusal.error
    # htmx swaps a 422 in and nothing else that failed.
    return await _answer(request, actor, desk, message=refusal.error.detail, refusal=refusal, status=422)


async def _answer(
    request: Request,
    actor: Actor,
    desk: SignInDesk,
    *,
    message: str = "",
    refusal: Refusal | None = None,
    codes: Sequence[str] = (),
    status: int = 200,
) -> Response:
    async with desk.database.session(context_of(request)) as session:
        part = await _part(request, session, actor, desk, message, refusal, codes)
    if is_fragment_request(request):
        return render("account/_security.html", part, status=status)
    page = SecurityPage(**names_of(part), shell=shell_for(actor, "/account/security"))
    return render("account/security.html", page, status=status)


async def _part(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    desk: SignInDesk,
    message: str,
    refusal: Refusal | None,
    codes: Sequence[str],
) -> SecurityPart:
    found = await confirmation.security_of(session, actor, utc_now())
    pending = await factors.pending_totp(session, desk.sealer, actor) if found.is_fresh else None
    has_factor = bool(found.factors)
    return SecurityPart(
        csrf_token=actor.csrf_token or "",
        must_enrol=actor.must_enrol_second_factor and not has_factor,
        is_fresh=found.is_fresh,
        has_password=found.has_password,
        password_changed_at=found.password_changed_at,
        totp_since=found.factors.totp.confirmed_at if found.factors.totp else None,
        totp_setup=TotpSetup(_grouped(pending.secret), totp.qr_code(pending.uri)) if pending else None,
        passkeys=tuple(
            PasskeyRow(item.id, item.name, item.created_at, item.last_used_at)
            for item in found.factors.passkeys
        ),
        offers_passkeys=find_relying_party(request) is not None,
        recovery_codes_left=found.factors.unused_recovery_codes,
        new_recovery_codes=tuple(codes),
        **security_forms(
            has_password=found.has_password, has_totp=found.factors.totp is not None, refusal=refusal
        ),
        message=message,
        is_good=refusal is None,
    )


def _grouped(secret: str) -> str:
    """Groups of four, for those who type it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
