"""The sections of the configuration that belong to services of the world outside, a line each."""

from __future__ import annotations

from firstread.connect.mail.settings import MailSettings
from firstread.toml import Table

SECTIONS: dict[str, type[Table]] = {"mail": MailSettings}
"""By the section's name. What was set is `config.service(MailSettings)`."""
