"""Handing one mail to the provider, and what its answer means for trying again."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMessage

_REFUSED = {"rejected", "invalid", "failed"}
_CLIENT_ERROR_BUT_TRY_AGAIN = {401, 403, 408, 425, 429}
"""A key may be corrected and a rate limit passes; the mail itself is not at fault."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of it: no error, or a sentence and whether trying again is of no use."""

    error: str = ""
    permanent: bool = False


def send(mail: EmailMessage) -> Delivery:  # noqa: PLR0911 - a line for each kind of answer
    """Hand the mail over; never raises for what a provider or a network may do."""
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return Delivery(error=_said(code, said), permanent=code >= 500)
    except smtplib.SMTPDataError as error:
        return Delivery(
            error=_said(error.smtp_code, error.smtp_error), permanent=error.smtp_code >= 500
        )
    except smtplib.SMTPResponseException as error:
        # Sign-in or sender refused: the settings are at fault, and the operator may mend them.
        return Delivery(error=_said(error.smtp_code, error.smtp_error))
    except AnymailRecipientsRefused:
        return Delivery(error="The provider refused the address.", permanent=True)
    except AnymailAPIError as error:
        code = error.status_code or 0
        permanent = 400 <= code < 500 and code not in _CLIENT_ERROR_BUT_TRY_AGAIN
        return Delivery(error=f"The provider answered {code or 'nothing'}.", permanent=permanent)
    except (AnymailError, OSError, ValueError) as error:
        return Delivery(error=f"The mail server cannot be reached ({type(error).__name__}).")
    return _status(mail)


def _status(mail: EmailMessage) -> Delivery:
    status = getattr(mail, "anymail_status", None)
    states = {each.status for each in status.recipients.values()} if status else set()
    if states & _REFUSED:
        return Delivery(error="The provider refused the address.", permanent=True)
    return Delivery()


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"The mail server answered {code}: {' '.join(text.split())}"
