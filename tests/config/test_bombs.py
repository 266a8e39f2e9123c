"""Files that are meant to cost too much are refused, or read, in bounded time; the dearest in `make acceptance`."""

import pytest

from guard.config import Loaded, Problem, decode
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, MAIL, RULE, read

MIB = 1 << 20
GOOD_REST = CHANNEL + DEFAULTS + RULE
GOOD = ACCOUNT + GOOD_REST
SUBBED = ACCOUNT.replace("{", "{{").replace("}", "}}") + "sub_accounts = [{ids}]\n"
BOMBS = {
    "100,000 brackets": "a = " + "[" * 100_000,
    "100,000 brackets on lines": "a = " + "[\n" * 100_000,
    "100,000 closed brackets on lines": "a = " + "[\n" * 100_000 + "]\n" * 100_000,
    "braces on lines": "a = " + "{x=\n" * 100_000,
    "braces on one line": "a = " + "{x=" * 1_200,
    "a key of 200,000 parts": ".".join(["a"] * 200_000) + " = 1",
    "a header of 1,900 parts and many keys": "[" + ".".join(["a"] * 1_900) + "]\n" + "k = 1\n" * 50_000,
    "5,000 digits": "a = " + "9" * 5_000,
    "one word of a mebibyte": "a" * MIB,
    "only line feeds": "\n" * MIB,
    "two mebibytes": "a" * 2 * MIB,
    "a mebibyte in more than ASCII": "ä" * MIB,
    "words that sound like secrets": ("key" * 1_300 + "\n") * 260,
    "quotes": ("'" * 3_900 + "\n") * 260,
    "a key again and again": "a = 1\n" * 100_000,
    "lines that are no TOML": "a =\n" * 100_000,
    "50,000 rules": GOOD + "".join(f"[rules.r{index}]\n" for index in range(50_000)),
    "10,001 accounts": GOOD + "".join(f"[accounts.a{index}]\n" for index in range(10_001)),
    "10,001 sub-accounts": SUBBED.format(ids=",\n".join(f'"a{index}"' for index in range(10_001))) + GOOD_REST,
    "10,001 tables of sub-accounts": ACCOUNT
    + 'sub_accounts = "all"\n'
    + "".join(f"[accounts.main.sub.a{index}]\n" for index in range(10_001))
    + GOOD_REST,
    "sub-accounts that are not listed": SUBBED.format(ids=",\n".join(f'"a{index}"' for index in range(10_000)))
    + "".join(f"[accounts.main.sub.b{index}]\n" for index in range(10_000))
    + GOOD_REST,
    "addresses that are none": f"{GOOD}{MAIL}".replace("ops@", "a." * 1_900) + "port = 0\n",
    "an address of brackets": f"{GOOD}{MAIL}".replace("ops@", "(" * 3_900),
    "a sender of brackets": f"{GOOD}{MAIL}".replace("guard@", "<" * 3_900),
    "101 channels": GOOD + "".join(f"[channels.c{index}]\n" for index in range(101)),
    "many mistakes": GOOD + "".join(f"[rules.r{index}]\nvalue = 'nope.x'\n" for index in range(900)),
    "a long expression": f"{GOOD}[rules.r]\nvalue = '{'1 + ' * 900}1'\nwarning = '< 3'\n",
    "a deep expression": f"{GOOD}[rules.r]\nvalue = '{'(' * 240}1'\nwarning = '< 3'\n",
    "a format that is a bomb": GOOD + "summary = '{numbers.used:1000000000}'\n",
}


REFUSALS = {
    "100,000 brackets": "1:1: a line has at most 4,000 characters, and this one 100,004",
    "100,000 brackets on lines": "1:1: nested too deeply",
    "100,000 closed brackets on lines": "17:1: nested deeper than 16 levels",
    "braces on lines": "1:8: the value is missing",
    "braces on one line": "1:1: nested too deeply",
    "a key of 200,000 parts": "1:1: a line has at most 4,000 characters, and this one 400,003",
    "a header of 1,900 parts and many keys": "1:2: nested deeper than 16 levels",
    "5,000 digits": "1:1: a line has at most 4,000 characters, and this one 5,004",
    "one word of a mebibyte": "1:1: a line has at most 4,000 characters, and this one 1,048,576",
    "only line feeds": '1:1: no channel: write [channels.ops] with kind = "slack", so that somebody is told',
    "two mebibytes": "1:1: a rule file has at most 1,048,576 bytes",
    "a mebibyte in more than ASCII": "1:1: a rule file has at most 1,048,576 bytes",
    "words that sound like secrets": "1:3901: a key is followed by = and a value",
    "quotes": "1:3: a key is followed by = and a value",
    "a key again and again": "2:1: this is written twice, first on line 1",
    "lines that are no TOML": "1:4: the value is missing",
    "50,000 rules": "11:2: 50,001 rules are too many; there may be 1,000",
    "10,001 accounts": "2:2: 10,002 accounts are too many; there may be 10,000",
    "10,001 sub-accounts": "4:16: 10,001 sub-accounts are too many; there may be 10,000",
    "10,001 tables of sub-accounts": "5:16: 10,001 sub-accounts are too many; there may be 10,000",
    "sub-accounts that are not listed": "10004:20: 'b0' is not in sub_accounts",
    "addresses that are none": "20:7: '" + "a." * 149 + "…",
    "an address of brackets": "20:7: '" + "(" * 298 + "…",
    "a sender of brackets": "19:8: '" + "<" * 298 + "…",
    "101 channels": "5:2: 102 channels are too many; there may be 100",
    "many mistakes": '15:8: no level: write at least one of info, warning, critical, as in warning = "< 3"',
    "a long expression": "16:510: an expression has at most 500 characters, and this one 3,601",
    "a deep expression": "16:50: an expression has at most 40 levels",
    "a format that is a bomb": "15:26: unknown format '1000000000'; formats are count, share, dollars, duration, date",
}


DEAREST = {  # a second each, or more
    "braces on lines",
    "quotes",
    "words that sound like secrets",
    "a key again and again",
    "lines that are no TOML",
    "only line feeds",
    "50,000 rules",
    "sub-accounts that are not listed",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.acceptance] if name in DEAREST else []) for name in BOMBS]
)
def test_a_bomb_is_refused_with_a_bounded_account_of_it(name: str) -> None:
    loaded = read(BOMBS[name])
    assert loaded.config is None
    assert 1 <= len(loaded.problems) <= 200
    assert max(len(problem.render()) for problem in loaded.problems) < 1_000
    first = loaded.problems[0]
    refusal = f"{first.line}:{first.column}: {first.text}"
    assert refusal == REFUSALS[name]


def test_two_hundred_errors_are_enough() -> None:
    assert len(read(BOMBS["many mistakes"]).problems) == 200


def test_a_thousand_rules_are_read() -> None:
    rules = "".join(f"[rules.r{index}]\nvalue = 'numbers.used'\nwarning = '> 3'\n" for index in range(999))
    loaded: Loaded = read(GOOD + rules)
    assert loaded.config is not None
    assert len(loaded.config.accounts[0].rules) == 1_000


def test_ten_thousand_accounts_share_their_rules() -> None:
    accounts = "".join(f"[accounts.a{index}]\napi_key = '${{OTHER_API_KEY}}'\n" for index in range(9_999))
    loaded = read(GOOD + accounts)
    assert loaded.config is not None
    assert len({id(rule) for account in loaded.config.accounts for rule in account.rules}) == 1


def test_ten_thousand_sub_accounts_share_their_rules() -> None:
    tables = "".join(f"[accounts.main.sub.a{index}]\nbudgets = {{ x = {index} }}\n" for index in range(9_999))
    loaded = read(ACCOUNT + 'sub_accounts = "all"\n' + tables + GOOD_REST)
    assert loaded.config is not None
    subs = loaded.config.accounts[0].subs
    assert subs is not None
    assert len({id(rule) for account in subs.own.values() for rule in account.rules}) == 1


def test_rules_times_sub_accounts_with_a_table_is_bounded_and_others_are_free() -> None:
    rules = "".join(f"[rules.r{index}]\nvalue = 'numbers.used'\nwarning = '> 3'\n" for index in range(100))
    tables = "".join(f"[accounts.main.sub.a{index}]\n" for index in range(999))
    ids = SUBBED.format(ids=",\n".join(f'"a{index}"' for index in range(9_999)))
    assert read(ids + GOOD_REST + rules).config is not None
    assert [problem.text for problem in read(ids + tables + GOOD_REST + rules).problems] == [
        "101 rules over 1,000 accounts are too many together"
    ]


def test_rules_times_accounts_is_bounded() -> None:
    accounts = "".join(f"[accounts.a{index}]\napi_key = '${{OTHER_API_KEY}}'\n" for index in range(999))
    rules = "".join(f"[rules.r{index}]\nvalue = 'numbers.used'\nwarning = '> 3'\n" for index in range(100))
    assert [problem.text for problem in read(GOOD + accounts + rules).problems] == [
        "101 rules over 1,000 accounts are too many together"
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"a = '\xff'", "rules.toml:1:6: error: the file is not UTF-8 here; save it as UTF-8"),
        ("ä\n# ö\n".encode() + b"\xe4", "rules.toml:3:1: error: the file is not UTF-8 here; save it as UTF-8"),
        ("a = 1".encode("utf-16"), "rules.toml:1:1: error: the file is UTF-16; save it as UTF-8"),
        (b"#" * (MIB + 1), "rules.toml:1:1: error: the file has 1,048,577 bytes; a rule file has at most 1,048,576"),
    ],
)
def test_bytes_that_are_no_rule_file_are_a_problem(raw: bytes, problem: str) -> None:
    found = decode(raw, "rules.toml")
    assert isinstance(found, Problem)
    assert found.render() == problem


def test_a_byte_order_mark_and_line_ends_of_windows_do_not_count() -> None:
    raw = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    text = decode(raw, "rules.toml")
    assert isinstance(text, str)
    assert read(text).config is not None
    assert read("\ufeff" + text).config is not None


def test_places_count_the_same_with_line_ends_of_windows() -> None:
    bad = GOOD + 'description = """\nfirst\n{numbers.remaning}"""\n'
    assert read(bad.replace("\n", "\r\n")).problems == read(bad).problems
    assert str(read(bad).problems[0]).startswith("rules.toml:17:2: ")
