"""A message as a mail's HTML: one narrow column with inline styles, nothing loaded from elsewhere; pure."""

from collections.abc import Iterator
from html import escape
from typing import Final

from guard.message import Fact, Line, Message
from guard.model import Level

_COLOURS: Final = {Level.CRITICAL: "#b42318", Level.WARNING: "#b54708", Level.INFO: "#175cd3"}
_OVER: Final = "#067647"
_PLAIN: Final = "#475467"  # of what has no level, and of all that is less important

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:0;padding:16px;background:#ffffff">
<div style="max-width:600px;margin:0 auto;padding:4px 0 4px 16px;border-left:4px solid {colour};\
color:#101828;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5;\
overflow-wrap:anywhere">
{parts}
</div>
</body>
</html>
"""


def html(message: Message) -> str:
    """The whole message as a page; every text is escaped, and only an http or https runbook is a link."""
    colour = _colour(message.level, ended=message.ended)
    return _PAGE.format(title=escape(message.text), colour=colour, parts="\n".join(_parts(message, colour)))


def _parts(message: Message, colour: str) -> Iterator[str]:
    yield (
        f'<p style="margin:0"><b style="color:{colour}">[{escape(message.mark)}]</b>'
        f' <span style="color:{_PLAIN}">{escape(message.title)}</span></p>'
    )
    yield f'<h1 style="margin:4px 0 0;font-size:20px;line-height:1.3">{escape(message.summary)}</h1>'
    if message.facts:
        rows = "\n".join(map(_row, message.facts))
        yield f'<table style="margin-top:16px;border-collapse:collapse;font-size:15px">\n{rows}\n</table>'
    if message.lines or message.more:
        items = "\n".join([*map(_item, message.lines), *_more(message.more)])
        yield f'<ul style="margin:16px 0 0;padding:0;list-style:none;font-size:15px">\n{items}\n</ul>'
    if message.description:
        yield f'<p style="margin:16px 0 0;white-space:pre-line">{escape(message.description)}</p>'
    if message.runbook:
        yield f'<p style="margin:16px 0 0">Runbook: {_link(message.runbook)}</p>'


def _row(fact: Fact) -> str:
    return (
        f'<tr><th scope="row" style="padding:2px 12px 2px 0;text-align:left;vertical-align:top;font-weight:normal;'
        f'color:{_PLAIN};overflow-wrap:normal">{escape(fact.name)}</th>'
        f'<td style="padding:2px 0;vertical-align:top">{escape(fact.text)}</td></tr>'
    )


def _item(line: Line) -> str:
    colour = _colour(line.level, ended=line.ended)
    return (
        f'<li style="margin:0 0 8px;padding-left:10px;border-left:3px solid {colour}">'
        f'<b style="color:{colour}">[{escape(line.mark)}]</b> {escape(line.text)}</li>'
    )


def _more(more: int) -> Iterator[str]:
    if more:
        yield f'<li style="color:{_PLAIN}">and {more} more</li>'


def _link(runbook: str) -> str:
    shown = escape(runbook)
    if runbook.startswith(("https://", "http://")):
        return f'<a href="{shown}" style="color:#175cd3">{shown}</a>'
    return shown


def _colour(level: Level | None, *, ended: bool) -> str:
    if ended:
        return _OVER
    return _COLOURS[level] if level else _PLAIN
