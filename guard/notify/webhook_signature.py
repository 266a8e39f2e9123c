"""The signature of a webhook by Standard Webhooks: who sent it, that nothing was changed, and when; pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from hmac import digest


def signed_headers(secrets: str, *, key: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers that say which delivery a body is, when it was sent, and that it is ours.

    `secrets` is one secret (`whsec_` and base64), or several with spaces between, of which the receiver has to know
    one. `key` holds no full stop. ValueError for a secret that is no base64, which `guard check` refuses.
    """
    sent = str(int(at.timestamp()))
    signed = b".".join((key.encode(), sent.encode(), body))
    signatures = [b64encode(digest(_signing_key(secret), signed, sha256)).decode() for secret in secrets.split()]
    return {
        "webhook-id": key,
        "webhook-timestamp": sent,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _signing_key(secret: str) -> bytes:
    return b64decode(secret.partition("_")[2], validate=True)
