import socket
import ssl

import aiosmtplib
import pytest

from guard.notify.mail_answer import fault_text, refusal, spellings
from guard.notify.notifier import Rejected, Retry

SECRETS = spellings("guard", "correct horse")


def refused(text: str, code: int = 550) -> str:
    outcome = refusal(aiosmtplib.SMTPRecipientRefused(code, text, "ops@example.com"), secrets=SECRETS)
    assert isinstance(outcome, Rejected | Retry)
    return outcome.why.removeprefix("the mail server refused the recipient: ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5.1.1 No such user", "550 5.1.1 No such user"),
        ("5.1.1 <ops@example.com>:\n5.1.1 guard may not\r\n", "550 5.1.1 <ops@example.com>: 5.1.1 guard may not"),
        ("\x1b[31mred\udcff\u202e", "550 [31mred\ufffd"),
        ("x" * 10_000, "550 " + "x" * 119 + "…"),
        ("", "550"),
    ],
)
def test_the_server_s_text_is_shown_clean_and_short(text: str, shown: str) -> None:
    assert refused(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "correct horse is wrong",
        "Correct\tHorse",
        "cut off: correct h",
        "its middle: ect hor",
        "name Z3VhcmQ= again",
        "AUTH PLAIN AGd1YXJkAGNvcnJlY3QgaG9yc2U=",
        "wrapped Y29ycmVj\n dCBob3JzZQ==",
        "a part: GNvcnJlY3",
    ],
)
def test_a_text_that_repeats_a_part_of_the_login_is_left_out(text: str) -> None:
    assert refused(text) == "550 (a text that repeats the login)"


def test_a_secret_too_short_to_have_parts_is_left_out_as_a_whole() -> None:
    fault = aiosmtplib.SMTPAuthenticationError(535, "who says abc?")
    known = Rejected("the mail server refused the login: 535 (a text that repeats the login)")
    assert refusal(fault, secrets=["", "abc"]) == known
    assert refusal(fault, secrets=["", "ab!"]) == Rejected("the mail server refused the login: 535 who says abc?")


@pytest.mark.parametrize("code", [-1, 0, 99, 150, 220, 354, 600, 999])
def test_a_code_that_neither_puts_off_nor_refuses_is_no_refusal(code: int) -> None:
    assert refusal(aiosmtplib.SMTPDataError(code, "hm"), secrets=()) is None


def test_what_has_no_name_of_its_own_is_a_command() -> None:
    fault = aiosmtplib.SMTPResponseException(454, "TLS not available")
    assert refusal(fault, secrets=()) == Retry("the mail server put off a command: 454 TLS not available")


def test_the_spellings_of_any_login_can_be_written() -> None:
    assert spellings("", "") == ("", "", "", "AAA=")
    assert spellings("\ud800", "\udcff")


def caused(fault: Exception, by: Exception) -> Exception:
    fault.__cause__ = by
    return fault


def untrusted(why: str) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, "never shown")
    fault.verify_message = why
    return fault


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (untrusted("certificate has expired"), "the mail server's certificate is not trusted: certificate has expired"),
        (ssl.SSLError(1, "wrong version number"), "TLS failed; security or port may be another one"),
        (socket.gaierror(-2, "Name or service not known"), "the mail server's name could not be resolved"),
        (ConnectionRefusedError(111, "Connect call failed ('10.0.0.1', 25)"), "connection refused"),
        (TimeoutError(110, "never shown"), "connection timed out"),
        (ConnectionResetError(), "the mail server closed the connection"),
        (OSError("Multiple exceptions: ..."), "none of the mail server's addresses could be reached"),
    ],
)
def test_a_fault_is_named_in_words_of_our_own(fault: Exception, text: str) -> None:
    assert fault_text(fault) == text
    wrapped = caused(aiosmtplib.SMTPConnectError("secret"), caused(aiosmtplib.SMTPServerDisconnected("secret"), fault))
    assert fault_text(wrapped) == text


def test_a_connection_that_ends_without_a_cause_was_closed() -> None:
    assert fault_text(aiosmtplib.SMTPServerDisconnected("secret")) == "the mail server closed the connection"
