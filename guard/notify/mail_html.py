"""A message as a mail's HTML: one narrow column with inline styles, nothing loaded from elsewhere; pure.

The colours stand in the inline styles, which every mail client goes by. Those for a dark screen can stand in a style
sheet only; a client that leaves that out shows the light page, or darkens it in its own way.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from guard.message import Fact, Line, Message
from guard.message.blocks import LETTERS
from guard.model import Level

_COLOURS: Final = {
    "critical": "#b42318",
    "warning": "#b54708",
    "info": "#175cd3",
    "over": "#067647",
    "plain": "#475467",
}
"""By the kind of what is shown: its level, that it is over, or plain for what has no level or is less important."""

_DARK: Final = {"critical": "#f97066", "warning": "#fdb022", "info": "#53b1fd", "over": "#47cd89", "plain": "#98a2b3"}

_STYLE: Final = "\n".join(
    (
        ":root{color-scheme:light dark}",
        "@media (prefers-color-scheme:dark){",
        ".page{background:#0c111d!important}",
        ".column{color:#f2f4f7!important}",
        *(
            f".{kind}{{border-left-color:{colour}!important}}.{kind}-text{{color:{colour}!important}}"
            for kind, colour in _DARK.items()
        ),
        "}",
    )
)

# Phones make links of what looks like a date or a telephone number to them, unless they are told not to.
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body class="page" style="margin:0;padding:16px;background:#ffffff">
<div class="column {kind}" style="max-width:600px;margin:0 auto;padding:4px 0 4px 16px;border-left:4px solid {colour};\
color:#101828;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5;\
overflow-wrap:anywhere">
{parts}
</div>
</body>
</html>
"""


def html(message: Message) -> str:
    """The whole message as a page; every text is escaped, and only an http or https runbook is a link."""
    kind = _kind(message.level, ended=message.ended)
    parts = "\n".join(_parts(message, kind))
    return _PAGE.format(title=escape(message.text), style=_STYLE, kind=kind, colour=_COLOURS[kind], parts=parts)


def _parts(message: Message, kind: str) -> Iterator[str]:
    yield (
        f'<p style="margin:0"><b {_coloured(kind)}>[{escape(message.mark)}]</b>'
        f" <span {_coloured('plain')}>{escape(message.title)}</span></p>"
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
    for name, link in (("Runbook", message.runbook), ("Console", message.link)):
        if link:
            yield f'<p style="margin:16px 0 0">{name}: {_link(link)}</p>'


def _row(fact: Fact) -> str:
    return (
        f'<tr><th scope="row" class="plain-text" style="padding:2px 12px 2px 0;text-align:left;vertical-align:top;'
        f'font-weight:normal;color:{_COLOURS["plain"]};overflow-wrap:normal">{escape(fact.name)}</th>'
        f'<td style="padding:2px 0;vertical-align:top{_narrow(fact.text)}">{escape(fact.text)}</td></tr>'
    )


def _narrow(text: str) -> str:
    """The style of a drawing: two dozen blocks as wide as letters would not fit into a line of a phone."""
    return ";font-family:Menlo,Consolas,monospace;font-size:12px" if LETTERS.issuperset(text) else ""


def _item(line: Line) -> str:
    kind = _kind(line.level, ended=line.ended)
    return (
        f'<li class="{kind}" style="margin:0 0 12px;padding-left:10px;border-left:3px solid {_COLOURS[kind]}">'
        f"<b {_coloured(kind)}>[{escape(line.mark)}]</b> {escape(line.text)}</li>"
    )


def _more(more: int) -> Iterator[str]:
    if more:
        yield f"<li {_coloured('plain')}>and {more} more</li>"


def _link(link: str) -> str:
    shown = escape(link)
    if link.startswith(("https://", "http://")):
        return f'<a href="{shown}" {_coloured("info")}>{shown}</a>'
    return shown


def _kind(level: Level | None, *, ended: bool) -> str:
    if ended:
        return "over"
    return level.word if level else "plain"


def _coloured(kind: str) -> str:
    """The attributes of a text in the colour of a kind, for light screens and dark."""
    return f'class="{kind}-text" style="color:{_COLOURS[kind]}"'
