import json
import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from guard.agentphone.reply import read_answer, read_refusal
from guard.model import Answer

KEY = "sk_live_4f9b2c81d07e"
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)

ECHOES = st.text(max_size=20).map(lambda text: f"{text}{KEY}{text}")
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ECHOES,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["stats", "error", "message", "loc", "x"]), inner),
)
BODIES = st.binary() | TREES.map(lambda tree: json.dumps(tree).encode()) | ECHOES.map(str.encode)


def is_clean(text: str) -> bool:
    return not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)


@given(body=BODIES)
def test_no_body_breaks_an_answer_or_brings_the_key_into_it(body: bytes) -> None:
    read = read_answer({}, body, key=KEY)
    assert KEY not in read.text
    if isinstance(read, Answer):
        assert json.loads(read.text) == read.payload
    else:
        assert is_clean(read.text)


@given(body=BODIES, status=st.integers(100, 999), header=st.text())
def test_no_refusal_breaks_or_shows_the_key(body: bytes, status: int, header: str) -> None:
    read = read_refusal(status, {"Date": header, "Retry-After": header}, body, key=KEY, now=NOW)
    assert KEY not in read.text
    assert is_clean(read.text)
    assert len(read.text.encode()) < 300
