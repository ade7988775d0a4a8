"""Workers whose clocks are minutes or a day apart read and mail everything once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.site_for_tests import SETUP, Site, site_on
from tests.smtp_for_tests import Mailbox, mail_through, start_smtp

CASES = 12
PUT_IN = f"""
from firstread.server.start import open_django
open_django()
from firstread.clinic.steps.intake import Incoming, receive
from tests.images_for_tests import cell_png
for number in range({CASES}):
    receive([Incoming(data=cell_png("red", seed=number, side_px=40))], check="leukaemia",
            door="api", accession=str(number), by=None)
"""


class SlowMailbox(Mailbox):
    """Takes longer than a lease of the reader for each mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        import asyncio

        await asyncio.sleep(0.3)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    with site_on(request.param, home=tmp_path, shelf=shelf) as site:
        yield site


def test_workers_with_clocks_apart_mail_and_read_once(site: Site) -> None:
    mailbox = SlowMailbox()
    smtp = start_smtp(mailbox)
    site.env |= mail_through(smtp)
    try:
        site.python(SETUP)
        site.env["PYTHONPATH"] += f":{Path(__file__).parents[2]}"
        site.python(PUT_IN)
        for name, ahead_s in (("ahead", "86400"), ("right", "0"), ("behind", "-120")):
            site.start("worker", name=name, CLOCK_AHEAD_S=ahead_s)
        site.wait_for(lambda: len(set(mailbox.ids)) == 2 * CASES, what="every mail delivered")
        left = "SELECT count(*) FROM clinic_outgoing WHERE state <> 'sent'"
        site.wait_for(lambda: site.query(left) == [(0,)], what="every mail written down")
        site.stop()
    finally:
        smtp.stop()
    assert len(mailbox.ids) == 2 * CASES
    assert site.query("SELECT count(*) FROM clinic_readrow") == [(CASES,)]
    assert site.query("SELECT count(*) FROM clinic_case WHERE state = 'read'") == [(CASES,)]
    apart = "SELECT count(*) FROM clinic_case WHERE read_at < received_at"
    assert site.query(apart) == [(0,)]
