"""`kind = "webhook"`: an address that messages are posted to as signed JSON."""

from base64 import b64decode
from typing import Final

from guard.config.address import address_fault
from guard.config.keys import WEBHOOK
from guard.config.table import Table
from guard.config.things import Secret, WebhookConfig

_SECRET: Final = "WEBHOOK_SECRET"  # noqa: S105 -- the name of a variable, not what it holds
_PREFIX: Final = "whsec_"
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64
_MAKE: Final = f'make one with: echo "{_PREFIX}$(openssl rand -base64 32)"'


def read_webhook(table: Table) -> WebhookConfig | None:
    """Reads a channel; None when nothing could be posted."""
    table.check_keys(WEBHOOK, where=" for a webhook channel")
    url = _url(table)
    secret = table.secret("secret", example=_SECRET, is_password=True)
    for each in secret.value.split(" ") if secret and secret.value else ():
        if fault := _secret_fault(each):
            table.wrong("secret", f"the value of {table.variable('secret')} {fault}")
            break
    return WebhookConfig(table.name, url, secret, fingerprint="") if url and secret else None


def _url(table: Table) -> Secret | None:
    """The address, which may stand in the file and may be a secret; empty where its variable is not set."""
    if "url" not in table:
        how = 'write url = "https://…", or url = "${WEBHOOK_URL}" where it holds a secret'
        table.document.miss(table.path, f"url is missing: {how}")
        return None
    url = table.string("url", such_as='"https://example.com/hooks/guard"')
    variable = table.variable("url")
    if url is None:
        return Secret(variable, "") if variable else None
    if fault := address_fault(url):
        table.wrong("url", f"the value of {variable} {fault}" if variable else f"url {fault}")
        return None
    return Secret(variable or "", url)


def _secret_fault(secret: str) -> str | None:
    """Why messages cannot be signed with a secret, as the end of a sentence about it; None when they can."""
    if not secret.startswith(_PREFIX):
        return f"does not begin with {_PREFIX}, as every secret of it does; {_MAKE}"
    try:
        length = len(b64decode(secret.removeprefix(_PREFIX), validate=True))
    except ValueError:
        return f"is not {_PREFIX} and base64; {_MAKE}"
    if not _LEAST_BYTES <= length <= _MOST_BYTES:
        return f"is of {length} bytes, and a secret has {_LEAST_BYTES} to {_MOST_BYTES}; {_MAKE}"
    return None
