"""Markdown of ours as one HTML page: readable on a phone, printable, without a script, with nothing from elsewhere.

The Markdown is escaped where it is made (`escape`, `text.markdown`), and HTML in it stays text here, so that what is
inert in one form is inert in the other. A policy in the page forbids the rest. On a phone each row of a table of many
columns stands as a card, its cells one below the other with the column's name. The chart is drawn (`as_bars`).
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from incident_tui.report.as_bars import bars
from incident_tui.report.document import fenced
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:0 1rem 3rem;overflow-wrap:anywhere}"
    "h1,h2,h3{line-height:1.2}h2{border-bottom:1px solid #8888;padding-bottom:.2rem;margin-top:2rem}"
    "blockquote{margin:1rem 0;padding:.1rem 1rem;border-left:.3rem solid #b60}"
    ".wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.9rem}"
    "th,td{border:1px solid #8888;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}"
    "th:empty{display:none}.long{overflow-wrap:anywhere;min-width:9em}"
    "pre{overflow-x:auto;padding:.5rem;border:1px solid #8888;font-size:.85rem}code{font-family:ui-monospace,monospace}"
    ".chart h3{margin:.8rem 0 .2rem;font-size:.9rem}.chart p{margin:.3rem 0 0;font-size:.85rem}"
    ".chart svg{display:block}rect{fill:#8883}rect[class]{fill:#58a}rect.sites,rect.findings{fill:#c33}"
    "@media screen and (max-width:40rem){"
    ".cards,.cards tbody,.cards tr,.cards td{display:block}.cards thead{display:none}"
    ".cards tr{border-top:1px solid #8888;padding:.4rem 0}.cards td{border:0;padding:0;overflow-wrap:anywhere}"
    ".cards td.word{display:inline;padding-right:.6rem}.cards td:first-child{font-weight:bold}"
    ".cards td:empty{display:none}.cards td[data-of]::before{content:attr(data-of) ': ';opacity:.75}}"
    "@media print{body{max-width:none;font-size:10pt}table{font-size:8pt}.wide,pre{overflow:visible}"
    "pre{white-space:pre-wrap}h2,h3,.chart p{break-after:avoid}tr{break-inside:avoid}"
    "rect{print-color-adjust:exact}a{color:inherit;text-decoration:none}}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_COMMENT: Final = re.compile(r"(?m)^<!-- incident-tui [^\n]*-->\n")
_CHART: Final = re.compile(r'<pre><code class="language-mermaid">([^<]*)</code></pre>\n')
_DELIMITER: Final = re.compile(r"\|(?: *:?-+:? *\|)+")
_NOTHING_SPECIAL: Final = re.compile(r"[^\\`*_\[\]<>&~!\x00\n]*")
_LONG: Final = re.compile(r"[^\s<>]{21}")
"""A word that may be broken, so that it does not make its column wide."""
CARDS: Final = 4
"""A table of so many columns has cards on a phone."""
_WORDS: Final = frozenset({"UTC", "Entry", "Who", "Kind"})
"""Columns whose cells are short and say by themselves what they are."""
_TOLD: Final = frozenset({*_WORDS, "What"})


def page(markdown: str, title: str) -> str:
    """The page. Lines that are comments of ours are left out."""
    from markdown_it import MarkdownIt  # only who makes a page pays

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image", "autolink"])
    body = _body(reader, _COMMENT.sub("", markdown))
    body = re.sub(rf"<table>(?=\n<thead>\n<tr>\n(?:<th>[^\n]*</th>\n){{{CARDS},}}</tr>)", '<table class="cards">', body)
    body = _CHART.sub(lambda found: bars(html.unescape(found[1]).rstrip("\n")) or found[0], body)
    body = re.sub(r"<table\b", r'<div class="wide"><table', body).replace("</table>", "</table></div>")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{html.escape(sanitise(title))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _body(reader: MarkdownIt, markdown: str) -> str:
    """What the reader makes of it. Rows of tables, nearly all of a long report, are read here and not there: it makes
    a page of 10,000 entries in a quarter of the time, and is tested to say the same."""
    mark = "rows"
    while mark in markdown:
        mark += "x"
    lines = markdown.split("\n")
    code = fenced(lines)
    kept: list[str] = []
    tables: list[str] = []
    at = 0
    while at < len(lines):
        kept.append(lines[at])
        at += 1
        if at == len(lines) or code[at] or not _DELIMITER.fullmatch(lines[at]) or not kept[-1].startswith("|"):
            continue
        end = at + 1
        while end < len(lines) and lines[end].startswith("|") and lines[end].endswith("|"):
            end += 1
        head = _cells(kept[-1])
        if end > at + 1 and len(head) == lines[at].count("|") - 1 and (end == len(lines) or not lines[end].strip()):
            kept += [lines[at], f"| {mark}{len(tables)}q |"]
            tables.append(_rows(reader, head, lines[at + 1 : end]))
            at = end

    body = _styleless(str(reader.render("\n".join(kept))))
    place = re.compile(rf"<tr>\n<td>{mark}(\d+)q</td>\n(?:<td></td>\n)*</tr>\n")
    if len(place.findall(body)) != len(tables):  # it is no table where it stands
        return _styleless(str(reader.render(markdown)))
    return place.sub(lambda found: tables[int(found[1])], body)


def _styleless(body: str) -> str:
    """The policy allows no style but the page's own."""
    return re.sub(r' style="text-align:\w+"', "", body)


def _cells(row: str) -> list[str]:
    """As GFM has them: a "|" behind a backslash is one in the cell."""
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])]


def _rows(reader: MarkdownIt, head: Sequence[str], rows: Sequence[str]) -> str:
    def inline(cell: str) -> str:
        if _NOTHING_SPECIAL.fullmatch(cell):
            return cell.replace('"', "&quot;")
        return str(reader.renderInline(cell))

    begins = ["<td"] * len(head)
    if len(head) >= CARDS:
        for number, name in enumerate(head):
            said = re.sub(r"<[^>]*>", "", inline(name))
            if name in _WORDS:
                begins[number] += ' class="word"'
            elif number and name not in _TOLD:
                begins[number] += f' data-of="{said}"'
    out: list[str] = []
    for row in rows:
        cells = _cells(row)
        cells += [""] * (len(head) - len(cells))
        out.append("<tr>\n")
        for begin, cell in zip(begins, cells, strict=False):
            shown = inline(cell)
            if _LONG.search(shown):
                begin = begin.replace('class="', 'class="long ') if "class=" in begin else begin + ' class="long"'
            out.append(f"{begin}>{shown}</td>\n")
        out.append("</tr>\n")
    return "".join(out)
