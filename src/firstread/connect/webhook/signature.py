"""How a webhook is signed, so that who receives it knows that it is ours and new.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping

from firstread.connect.webhook.settings import key_of


def signed(body: bytes, *, key: str, secret: str, at_s: int) -> Mapping[str, str]:
    """The headers that go with `body`, which is called `key`, at that second since 1970.

    Of several secrets, apart by spaces, each signs: so a receiver may go from one to the next.

    >>> signed(b"{}", key="msg_1", secret="whsec_" + 8 * "AAAA", at_s=0)["webhook-signature"]
    'v1,2GF8lg2r21anFV6A2lgzCfWiGl1i1KlH7anAuH8//Xk='
    """
    said = b".".join([key.encode(), str(at_s).encode(), body])
    signatures = (hmac.digest(key_of(each), said, "sha256") for each in secret.split())
    return {
        "webhook-id": key,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(each).decode()}" for each in signatures
        ),
    }
