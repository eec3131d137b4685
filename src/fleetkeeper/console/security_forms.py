"""The forms by which people protect their account. Pure."""

from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import refused
from fleetkeeper.identity.sign_in.schemas import Confirmation, PasswordChange, TotpCode

CONFIRM = Form(
    Confirmation,
    "confirm",
    "Confirm your identity",
    "Confirm",
    {
        "password": Widget("Password", autocomplete="current-password"),
        "code": Widget("Code of your authenticator app", autocomplete="one-time-code"),
    },
)
PASSWORD = Form(
    PasswordChange,
    "password",
    "Password",
    "Change password",
    {
        "current_password": Widget("Current password", autocomplete="current-password"),
        "new_password": Widget(
            "New password",
            hint="At least 8 characters. A long password is better than a complicated one.",
            autocomplete="new-password",
        ),
        "revoke_tokens": "Revoke my API tokens, too",
    },
)
TOTP = Form(
    TotpCode,
    "totp",
    "Authenticator app",
    "Turn on",
    {"code": Widget("Then enter the code that the app shows", autocomplete="one-time-code")},
)


def security_forms(*, has_password: bool, has_totp: bool, refusal: Refusal | None) -> dict[str, EntryForm]:
    """The forms by their names in the page, with one that was refused as it was sent."""
    proofs = [name for name, has in (("password", has_password), ("code", has_totp)) if has]
    confirm = CONFIRM.shown("", only=proofs) if proofs else EntryForm(CONFIRM.id, CONFIRM.title, "", "")
    shown = {
        "confirm_form": confirm,
        "password_form": PASSWORD.shown(""),
        "totp_form": TOTP.shown(""),
    }
    if refusal is None:
        return shown
    return {
        name: refused(form, refusal.error, refusal.sent) if form.id == refusal.form_id else form
        for name, form in shown.items()
    }
