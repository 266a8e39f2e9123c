"""What people read in Slack."""

from slack_sdk.models.blocks import Block

from tests.acceptance.agentphone import AgentPhone, usage
from tests.acceptance.exchange import document
from tests.acceptance.home import Home
from tests.acceptance.rule_file import NUMBERS, rule_file
from tests.acceptance.slack import Post, Slack

LONG = "& <" * 500
EVIL = "<!channel> & *x* _y_ <https://example.invalid|click>\n> quote `code`\u202e"


def test_a_message_says_level_what_account_value_threshold_since_when_and_how_old(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url, NUMBERS + 'runbook = "https://wiki.example/numbers?a=1&b=2"\n'))
    api.say(1)
    assert home.call("once").returncode == 2
    (post,) = slack.until_shown("critical")
    assert post.text == "[critical] main / numbers-remaining: 1 of 12 phone numbers left"
    said = _words(post)
    for words in ("critical", "1 of 12 phone numbers left", "*Account*\nmain", "1, critical below 2, warning below 3"):
        assert words in said
    for words in ("Since <!date^", "Data 0 s old", "<https://wiki.example/numbers?a=1&amp;b=2|Runbook>"):
        assert words in said
    assert said.index("critical") < said.index("1 of 12") < said.index("Account") < said.index("Since")


def test_names_from_the_api_are_shown_as_text_and_do_nothing(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url, NUMBERS.replace("numbers left", "numbers left on {plan.name}")))
    odd = usage(1)
    odd["plan"]["name"] = EVIL
    api.answer = document(odd)
    assert home.call("once").returncode == 2
    (post,) = slack.until_shown("critical")
    for text in (_words(post), post.text):
        assert "<!channel>" not in text
        assert "<https://example.invalid" not in text
        assert "&lt;!channel&gt; &amp; *x*" in text
        assert "\u202e" not in text
    assert "\n" not in post.text
    assert post.payload["link_names"] is False


def test_no_block_is_refused_by_slacks_own_models_however_long_the_texts(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    rules = "".join(
        f'[rules.{"long-" * 11}{n}]\nvalue = "numbers.remaining"\ncritical = "< 3"\nsummary = "{{plan.name}} {LONG}"\n'
        for n in range(30)
    )
    home.write(rule_file(api.url, rules))
    odd = usage(1)
    odd["plan"]["name"] = "<&>" * 5_000
    api.answer = document(odd)
    assert home.call("once").returncode == 2
    (post,) = slack.until_shown("digest critical")
    assert "and 10 more" in _words(post)
    assert len(post.request.body) < 13_000


def _words(post: Post) -> str:
    """All texts of the blocks, in their order; the blocks are valid by slack_sdk's own rules."""
    blocks = [Block.parse(each) for each in post.payload["blocks"]]
    assert None not in blocks
    for block in blocks:
        assert block is not None
        block.validate_json()
    assert len(blocks) <= 50
    return "\n".join(_texts(post.payload["blocks"]))


def _texts(part: object) -> list[str]:
    match part:
        case {"text": str(text)}:
            return [text]
        case dict():
            return [text for value in part.values() for text in _texts(value)]
        case list():
            return [text for value in part for text in _texts(value)]
        case _:
            return []
