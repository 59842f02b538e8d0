"""Markdown of ours as one HTML page: readable on a phone, printable, without a script, with nothing from elsewhere.

The Markdown is escaped where it is made (`escape`, `text.markdown`), and HTML in it stays text here, so that what is
inert in one form is inert in the other. A policy in the page forbids the rest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Final

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:0 1rem 3rem;overflow-wrap:anywhere}"
    "h1,h2,h3{line-height:1.2}h2{border-bottom:1px solid #8888;padding-bottom:.2rem;margin-top:2rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}"
    "th,td{border:1px solid #8888;padding:.25rem .5rem;text-align:left;vertical-align:top;min-width:4.5em}"
    "pre{overflow-x:auto;padding:.5rem;border:1px solid #8888;font-size:.85rem}code{font-family:ui-monospace,monospace}"
    "@media print{body{max-width:none;font-size:10pt}.wide,pre{overflow:visible}pre{white-space:pre-wrap}"
    "h2,h3{break-after:avoid}tr{break-inside:avoid}a{color:inherit;text-decoration:none}}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_COMMENT: Final = re.compile(r"(?m)^<!-- incident-tui [^\n]*-->\n")


def page(markdown: str, title: str) -> str:
    """The page. Lines that are comments of ours are left out."""
    from markdown_it import MarkdownIt  # only who makes a page pays

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image", "autolink"])
    body = str(reader.render(_COMMENT.sub("", markdown)))
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    body = re.sub(r' style="text-align:\w+"', "", body)  # the policy allows no style but the page's own
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
