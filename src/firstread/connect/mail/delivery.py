"""Handing one mail to the provider, and what its answer means for trying again.

The one place outside clinic and server that uses Django: its mail, for which anymail is made. It
sees neither rows nor Django's settings; all that it needs comes with the call.
"""

from __future__ import annotations

import hashlib
import smtplib
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from firstread.connect.channel import ASKED_OFTEN_S, Delivery, Parcel
from firstread.connect.mail.settings import MailSettings

_REFUSED = {"rejected", "invalid", "failed"}
_OF_THE_ACCOUNT = {401, 403, 408, 425, 429}
"""What a provider answers where the key, the rights or the rate are at fault, and not the mail."""


def deliver(parcel: Parcel, settings: MailSettings) -> Delivery:  # noqa: PLR0911 - a line for each kind of answer
    """Hand the mail over; never raises for what a provider or a network may do.

    Nothing is permanent: a server that says 550 or 554 may be the one that is wrong.
    """
    try:
        way = connection(settings)
        mail = _mail(parcel, settings, way)
        with closing(way):  # Django leaves it open where signing in fails
            mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        if code < 500:  # "later": it is asked often enough to be heard soon
            return Delivery(
                error=_said(code, said), address_down=True, asked_again_within_s=ASKED_OFTEN_S
            )
        return Delivery(error=_said(code, said), address_down=True)
    except smtplib.SMTPDataError as error:
        return Delivery(error=_said(error.smtp_code, error.smtp_error))
    except smtplib.SMTPResponseException as error:
        # Greeting, sign-in or sender refused: no other mail would be taken, either.
        return _away(_said(error.smtp_code, error.smtp_error))
    except AnymailRecipientsRefused:
        return Delivery(error="The provider refused the address.", address_down=True)
    except AnymailAPIError as error:
        code = error.status_code or 0
        refused = f"The provider answered {code or 'nothing'}."
        of_this_mail = 400 <= code < 500 and code not in _OF_THE_ACCOUNT
        return Delivery(error=refused) if of_this_mail else _away(refused)
    except (ImproperlyConfigured, ImportError) as error:
        return _away(_incomplete(error))
    except (AnymailError, OSError) as error:
        return _away(f"The mail server cannot be reached ({type(error).__name__}).")
    except ValueError as error:  # a line end in a subject, say
        return Delivery(error=f"The mail cannot be written ({type(error).__name__}).")
    return _status(mail)


def _away(error: str) -> Delivery:
    return Delivery(error=error, channel_down=True, asked_again_within_s=ASKED_OFTEN_S)


def connection(settings: MailSettings) -> BaseEmailBackend:
    """What the mails leave by; not opened yet."""
    if settings.backend == "smtp":
        return EmailBackend(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password,
            use_tls=settings.tls == "starttls",
            use_ssl=settings.tls == "tls",
            timeout=settings.timeout_s,
        )
    path = f"anymail.backends.{settings.provider}.EmailBackend"
    backend: BaseEmailBackend = get_connection(path, **_options(settings))
    return backend


def why_no_connection(settings: MailSettings) -> str:
    """What the provider's settings lack, before anything is sent; empty where nothing does."""
    try:
        connection(settings)
    except ImproperlyConfigured as error:
        return _incomplete(error)
    return ""


def _incomplete(error: Exception) -> str:
    """What anymail misses, in our words and its own first line."""
    first = str(error).partition("\n")[0].strip().rstrip(".")
    return f"The provider cannot be used: {first}."


def _options(settings: MailSettings) -> dict[str, Any]:
    """What a backend of anymail is given: MAILJET_API_URL of its documents is `api_url`."""
    prefix = f"{settings.provider.upper()}_"
    given: dict[str, Any] = {"requests_timeout": settings.timeout_s}
    given |= {
        name.removeprefix(prefix).lower(): value
        for name, value in settings.provider_settings.items()
    }
    if settings.password:
        given["secret_key" if settings.user else "api_key"] = settings.password
    if settings.user:
        given["api_key"] = settings.user
    return given


def _mail(parcel: Parcel, settings: MailSettings, way: BaseEmailBackend) -> EmailMessage:
    # The same message sent again after a crash has the same ID, by which mailboxes know it.
    name = hashlib.sha256(parcel.key.encode()).hexdigest()[:32]
    host = urlsplit(parcel.site).hostname or "localhost"
    return EmailMessage(
        subject=str(parcel.payload.get("subject", "Firstread")),
        body=str(parcel.payload.get("text", "")),
        from_email=settings.sender,
        to=[parcel.address],
        headers={"Message-ID": f"<{name}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=way,
    )


def _status(mail: EmailMessage) -> Delivery:
    status = getattr(mail, "anymail_status", None)
    states = {each.status for each in status.recipients.values()} if status else set()
    if states & _REFUSED:
        return Delivery(error="The provider refused the address.", address_down=True)
    return Delivery()


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"The mail server answered {code}: {' '.join(text.split())}"
