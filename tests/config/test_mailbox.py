"""Which mail addresses may be named."""

from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.config.mailbox import (
    mailbox_fault,
    meant_mailbox,
    meant_sender,
    sender_fault,
    sender_text,
    split_sender,
)


@pytest.mark.parametrize(
    "address",
    [
        "ops@example.com",
        "first.last+tag@mail.eu-west-1.example.com",
        "o'brien@example.ie",
        "root@localhost",
        "a@b.co",
        "x" * 64 + "@example.com",
        "ops@xn--mller-kva.example",
    ],
)
def test_a_plain_address_is_fine(address: str) -> None:
    assert mailbox_fault(address) is None


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("", "is no mail address"),
        ("ops", "is no mail address"),
        ("ops@", "is no mail address"),
        ("@example.com", "is no mail address"),
        (".ops@example.com", "is no mail address"),
        ("ops.@example.com", "is no mail address"),
        ("o..ps@example.com", "is no mail address"),
        ("ops@example..com", "is no mail address"),
        ("ops@-example.com", "is no mail address"),
        ("ops@example.com.", "is no mail address"),
        ("ops@exam_ple.com", "is no mail address"),
        ("ops@[127.0.0.1]", "is no mail address"),
        ("ops @example.com", "is no mail address"),
        ("ops@example.com\n", "is no mail address"),
        ("ops@example.com\nBcc: x", "is no mail address"),
        ('"o ps"@example.com', "is no mail address"),
        ("ops(me)@example.com", "is no mail address"),
        ("a@b@example.com", "is no mail address"),
        ("a@b.org,c@d.org", "holds more than one address"),
        ("a@b.org; c@d.org", "holds more than one address"),
        ("Ops <ops@example.com>", "is more than an address"),
        ("<ops@example.com>", "is more than an address"),
        ("jörg@example.com", "holds letters in front of the @"),
        ("ops@müller.example", "holds letters behind the @"),
        ("x" * 65 + "@example.com", "is too long"),
        ("x@" + "a." * 130 + "com", "is too long"),
        ("ops@" + "x" * 64 + ".com", "is no mail address"),
    ],
)
def test_any_other_address_has_a_fault(address: str, fault: str) -> None:
    assert (mailbox_fault(address) or "").startswith(fault)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ops <ops@example.com>", "ops@example.com"),
        (" ops@example.com ", "ops@example.com"),
        ("mailto:ops@example.com", "ops@example.com"),
        ("ops@müller.example", "ops@xn--mller-kva.example"),
        ("ops", ""),
        ("jörg@example.com", ""),
        ("ops@" + "ü" * 300, ""),
        ("ops@.ü", ""),
    ],
)
def test_what_is_probably_meant_is_a_good_address_or_nothing(text: str, address: str) -> None:
    assert meant_mailbox(text) == address


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("Quota Guard guard@example.com", "Quota Guard <guard@example.com>"),
        ("Guard <mailto:guard@example.com>", "Guard <guard@example.com>"),
        ("guard@müller.example", "guard@xn--mller-kva.example"),
        ("Quota Guard", ""),
        ("x" * 101 + " guard@example.com", ""),
    ],
)
def test_a_sender_that_is_probably_meant_is_a_good_one_or_nothing(text: str, sender: str) -> None:
    assert meant_sender(text) == sender


@pytest.mark.parametrize(
    "name", ["x" * 101, "a\nb", "a\rb", "a\x0bb", "a\u2028b", "a\x85b", "a\x00b", "a\udc80b", "a\u202eb"]
)
def test_a_name_that_no_header_takes_has_a_fault(name: str) -> None:
    assert (sender_fault(name, "a@b.org") or "").startswith("has a name of more than 100 characters, or with some")


LOCAL = st.text("aZ09.!#$%&'*+/=?^_`{|}~- \"(),:;<>@[\\]\n\u00e9", max_size=12)


@given(LOCAL, st.text("aZ0-._ \n\u00e9[]", max_size=12))
def test_the_standard_library_understands_every_good_address_the_same(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    if mailbox_fault(text) is None:
        address = Address(addr_spec=text)
        assert (address.username, address.domain) == (local, domain)


@given(st.text(max_size=20))
def test_a_senders_name_goes_into_a_header_and_comes_out_again(name: str) -> None:
    if sender_fault(name, "a@b.org") is not None:
        return
    mail = EmailMessage()
    mail["From"] = sender_text(name, "a@b.org")
    assert not mail["From"].defects
    assert mail["From"].addresses[0].addr_spec == "a@b.org"
    assert mail.as_bytes().isascii()


@given(st.text())
def test_no_sender_makes_it_raise(text: str) -> None:
    meant_sender(text)
    if sender_fault(*split_sender(text)) is None:
        assert split_sender(sender_text(*split_sender(text)))[1] == split_sender(text)[1]
