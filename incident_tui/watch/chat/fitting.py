"""Text for a platform: mentions and markup disarmed, and no longer than it takes. Pure.

A zero-width space breaks what a platform would read as more than text, where it knows no way to escape: `sanitise` has
taken all such characters out of foreign text, so that each one in a message is ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

GAP: Final = "\u200b"
CUT: Final = " … (cut; the whole text is in the journal)"


_MENTION: Final = re.compile(r"(?<![A-Za-z0-9])@|@(?=channel|here|all|everyone|room|_|\W|$)", re.I)
"""No platform reads `root@web1` as a name; a login command that is copied out of a chat has to work."""


def no_mentions(text: str) -> str:
    """`@channel`, `@everyone`, `@room`, `@**all**` and `@ana` name nobody, `x@everyone` neither."""
    return _MENTION.sub(f"@{GAP}", text)


def entities(text: str) -> str:
    """For platforms that read `&lt;` as a character: `<!channel>`, `<@U1>` and `<url|text>` are text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def no_angles(text: str) -> str:
    """For those that do not: `<users/all>`, `<@1>` and `<url|text>` begin with nothing they know."""
    return text.replace("<", f"<{GAP}")


def no_links(text: str) -> str:
    """`[text](url)` is no link with another name."""
    return text.replace("](", f"]{GAP}(")


_MARKS: Final = re.compile(r"([\\*_~`|])")


def backslashes(text: str) -> str:
    """For those with CommonMark's escapes: what would be emphasis, code, a table or a spoiler shows as typed."""
    return _MARKS.sub(r"\\\1", text)


def characters(text: str) -> int:
    return len(text)


def json_bytes(text: str) -> int:
    """Bytes of the text as a JSON string in UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) - 2


def fit(text: str, limit: int, size: Callable[[str], int]) -> str:
    """The text, or as much from its beginning as `limit` takes together with a mark that it was cut."""
    if size(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[:middle].rstrip() + CUT) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + CUT
