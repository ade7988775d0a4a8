"""The signature is that of Standard Webhooks, whose own library is asked."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from firstread.connect.webhook.signature import signed


@given(
    body=st.text(max_size=200),
    key=st.from_regex(r"event_[0-9a-f]{32}", fullmatch=True),
    secret=st.binary(min_size=24, max_size=64),
    at_s=st.integers(0, 4_000_000_000),
)
def test_another_library_signs_the_same(body: str, key: str, secret: bytes, at_s: int) -> None:
    text = "whsec_" + base64.b64encode(secret).decode()
    headers = signed(body.encode(), key=key, secret=text, at_s=at_s)
    theirs = Webhook(text).sign(key, datetime.fromtimestamp(at_s, tz=UTC), body)
    assert headers == {
        "webhook-id": key,
        "webhook-timestamp": str(at_s),
        "webhook-signature": theirs,
    }


def test_several_secrets_sign_side_by_side() -> None:
    secrets = ["whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2)]
    both = signed(b"{}", key="event_1", secret=" ".join(secrets), at_s=7)
    each = [signed(b"{}", key="event_1", secret=secret, at_s=7) for secret in secrets]
    assert both["webhook-signature"].split() == [one["webhook-signature"] for one in each]
