"""A message as a mail's plain text; pure."""

from collections.abc import Iterator

from guard.message import Message


def plain_text(message: Message) -> str:
    """The whole message in paragraphs, the first of which begins with the state in brackets; ends with a line feed."""
    return "\n\n".join("\n".join(part) for part in _paragraphs(message) if part) + "\n"


def _paragraphs(message: Message) -> Iterator[list[str]]:
    yield [f"[{message.mark}] {message.title}", message.summary]
    yield [f"{fact.name}: {fact.text}" for fact in message.facts]
    lines = [f"- [{line.mark}] {line.text}" for line in message.lines]
    yield [*lines, f"and {message.more} more"] if message.more else lines
    yield [message.description] if message.description else []
    links = {"Runbook": message.runbook, "Console": message.link}
    yield [f"{name}: {link}" for name, link in links.items() if link]
