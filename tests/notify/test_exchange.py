import ssl

import aiohttp

from guard.notify.exchange import _kind


def test_a_certificate_that_nobody_trusts_is_called_so() -> None:
    untrusted = aiohttp.ClientConnectorCertificateError(None, ssl.SSLCertVerificationError())  # type: ignore[arg-type] # of which nothing is read
    assert _kind(untrusted) == "the host's certificate is not trusted"
