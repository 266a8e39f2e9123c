import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from guard.clock import Clock
from guard.notify.webhook_signature import signed_headers
from tests.builders import NOW

FIRST = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECOND = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_it_is_that_of_the_published_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/javascript/src/webhook.test.ts
    at = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    assert signed_headers(FIRST, key="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_with_two_secrets_a_receiver_that_knows_either_is_content() -> None:
    body = '{"text":"5 € left"}'
    at = Clock().now()  # the official library asks the time itself
    headers = dict(signed_headers(f"{FIRST} {SECOND}", key="k1", at=at, body=body.encode()))
    for secret in (FIRST, SECOND):
        assert Webhook(secret).verify(body, headers) == {"text": "5 € left"}
    with pytest.raises(WebhookVerificationError):
        Webhook(FIRST).verify(body.replace("5", "6"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(FIRST).verify(body, headers | {"webhook-id": "k2"})
