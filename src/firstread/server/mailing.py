"""The mail part of Django's settings."""

from __future__ import annotations

from typing import Any

from firstread.connect.mail.settings import MailSettings


def mail_settings(mail: MailSettings) -> dict[str, Any]:
    """Django's mail settings for what the operator chose."""
    settings: dict[str, Any] = {"DEFAULT_FROM_EMAIL": mail.sender, "SERVER_EMAIL": mail.sender}
    if mail.backend == "smtp":
        settings |= {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": mail.host,
            "EMAIL_PORT": mail.port,
            "EMAIL_HOST_USER": mail.user,
            "EMAIL_HOST_PASSWORD": mail.password,
            "EMAIL_USE_TLS": mail.tls == "starttls",
            "EMAIL_USE_SSL": mail.tls == "tls",
            "EMAIL_TIMEOUT": mail.timeout_s,
        }
    elif mail.backend == "anymail":
        settings["EMAIL_BACKEND"] = f"anymail.backends.{mail.provider}.EmailBackend"
        secret = f"{mail.provider.upper()}_API_KEY"
        given: dict[str, Any] = {"REQUESTS_TIMEOUT": mail.timeout_s, **mail.provider_settings}
        if mail.password:
            given[f"{mail.provider.upper()}_SECRET_KEY" if mail.user else secret] = mail.password
        if mail.user:
            given[secret] = mail.user
        settings["ANYMAIL"] = given
    else:
        settings["EMAIL_BACKEND"] = "django.core.mail.backends.dummy.EmailBackend"
    return settings
