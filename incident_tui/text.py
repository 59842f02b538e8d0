"""Foreign text: sanitise once at the border, escape for where it goes, redact what must not be kept.

Everything that people, hosts, chat, alerts or files say is hostile until it has passed `sanitise`. After that it
holds no control, escape, bidirectional or invisible character, so a terminal shows it as it is. It may still hold
markup, Markdown, HTML or shell characters: `markdown`, `code` and `shell` escape for those places, and the screen
only ever uses it as plain `Content`/`Text`. This module uses no other.
"""

from __future__ import annotations

import re
from typing import Final

LINE_LIMIT: Final = 4_000
"""Characters kept of one line of foreign text, unless the caller says otherwise."""
TEXT_LIMIT: Final = 64_000
"""Characters kept of a text of several lines."""
CUT: Final = "…"
"""The mark of a text that was cut."""

# Patterns are text here, which `re` compiles when first used and keeps: compiled at import, they would cost each
# `incident-tui log` several milliseconds, and most lines need none of them.

# C0 but \t \n \r, DEL, C1; bidi controls; zero-width and other invisible characters; lone surrogates; tags;
# noncharacters; interlinear annotation. Variation selectors stay: dropping them would change visible glyphs.
_FORBIDDEN: Final = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# A whole escape sequence goes, not only its ESC: "[31m" left behind would be noise in every report.
_ESCAPES: Final = (
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    "|\x1b[ -/]*[0-~]"  # other two- and three-character escapes
)
_NEWLINES: Final = "\r\n|\r|\u0085|\u2028|\u2029|\v|\f"
_MAX_COMBINING: Final = 4


def decode(raw: bytes) -> str:
    """Bytes of a host or file as text; invalid UTF-8 becomes U+FFFD."""
    return raw.decode("utf-8", "replace")


def sanitise(value: str | bytes, *, lines: bool = False, limit: int | None = None) -> str:
    """Foreign text made safe for a terminal.

    `lines` keeps newlines; otherwise every line break becomes one space. Tabs become spaces. A text longer than
    `limit` characters (default: LINE_LIMIT, or TEXT_LIMIT with `lines`) is cut and ends with "…". Idempotent.
    """
    if isinstance(value, bytes):
        value = decode(value)
    if limit is None:
        limit = TEXT_LIMIT if lines else LINE_LIMIT
    if value.isascii() and value.isprintable() and len(value) <= limit:
        return value
    value = value[: limit * 4 + 64]  # bound the work before the regular expressions see it
    value = re.sub(_ESCAPES, "", value)
    value = re.sub(_NEWLINES, "\n", value)
    if not lines:
        value = value.replace("\n", " ")
    value = value.replace("\t", "    " if lines else " ")
    value = re.sub(_FORBIDDEN, "", value)
    value = _bound_combining(value)
    if len(value) > limit:
        value = value[: limit - 1] + CUT
    return value


def _bound_combining(value: str) -> str:
    """At most four combining marks a character: a tower of them paints over the rows above."""
    if value.isascii():
        return value
    import unicodedata

    out: list[str] = []
    run = 0
    for character in value:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MAX_COMBINING:
            out.append(character)
    return "".join(out)


_MARKDOWN: Final = r"([\\`*_{}\[\]()#+!|~<>&$@:-])"
_BLOCK_START: Final = r"^(\s*)(\d{1,9})([.)])"


def markdown(value: str) -> str:
    """One line of text for a paragraph, list item or GFM table cell: it shows as typed and starts no block.

    HTML-special characters become entities; everything CommonMark or GFM could read as markup gets a backslash.
    ':' is escaped only before '//' and '@' only before a word, so that ordinary prose stays readable in source.
    """
    value = value.replace("\n", " ")

    def escape(match: re.Match[str]) -> str:
        character = match.group(1)
        if character in "<>&":
            return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[character]
        following = value[match.end() : match.end() + 2]
        if character == ":":
            return "&#58;" if following == "//" else ":"
        if character == "@":
            return "&#64;" if following[:1].isalnum() else "@"
        before = value[: match.start()].strip()
        if character == "-" or character == "+":
            return character if before else "\\" + character
        if character in "(){}!":
            return character if character != "(" or not value[: match.start()].endswith("]") else "\\("
        if character == "#":
            return character if before else "\\#"
        if character == "_":
            inside = value[: match.start()][-1:].isalnum() and following[:1].isalnum()
            return character if inside else "\\_"
        return "\\" + character

    value = re.sub(_MARKDOWN, escape, value)
    value = re.sub(_BLOCK_START, r"\1\2\\\3", value)
    if value.startswith(("=", "    ")):
        value = "&#" + str(ord(value[0])) + ";" + value[1:]
    return re.sub(r"(?i)\bwww\.", "www&#46;", value)


def code(value: str, *, cell: bool = False) -> str:
    """One line as an inline code span; `cell` also escapes '|' as a GFM table wants it."""
    value = value.replace("\n", " ")
    if cell:
        value = value.replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if value.startswith("`") or value.endswith("`") or not value.strip() else ""
    return f"{fence}{pad}{value or ' '}{pad}{fence}"


def fence(value: str, info: str = "text") -> str:
    """Several lines as a fenced code block that its content cannot close."""
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{info}\n{value}\n{ticks}"


def shell(value: str) -> str:
    """One word for a POSIX shell. Raises ValueError on NUL, which no shell can carry."""
    import shlex

    if "\x00" in value:
        raise ValueError("a shell word cannot hold a NUL character")
    return shlex.quote(value)


REDACTED: Final = "[redacted]"
_QUOTED: Final = r"\"[^\"]+\"|'[^']+'"
_VALUE: Final = rf"(?P<secret>{_QUOTED}|[^\s\"']+)"
_SECRETS: Final = (
    # scheme://user:password@host
    ("://", r"(?i)(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:)(?P<secret>[^\s@/]{1,400})(?=@)"),
    # headers
    (
        "authorization",
        r"(?i)(?P<keep>\bauthorization[\"']?\s{0,9}[:=]\s{0,9}[\"']?(?:bearer|basic|token|digest|apikey)\s+)"
        r"(?P<secret>[^\s\"']+)",
    ),
    ("cookie:", r"(?i)(?P<keep>\b(?:set-)?cookie:\s{0,9})(?P<secret>\S.*)"),
    # name=value, name: value, "name": "value", NAME_OF_PASSWORD=value
    (
        "pass pwd secret token key",
        r"(?i)(?P<keep>(?:\b|_)(?:password|passwd|pwd(?![\"']?\s{0,9}[:=]\s{0,9}/)|passphrase|(?<=_)pass|secret|"
        r"secret[_-]?key|client[_-]?secret|token|auth[_-]?token|api[_-]?key|access[_-]?key|private[_-]?key|"
        r"pgpassword|mysql_pwd|sshpass)[\"']?\s{0,20}(?:=>|[=:])\s{0,20})"
        rf"(?P<secret>{_QUOTED}|(?![=:>])[^\s,;&\"'|)}}\]]+)",
    ),
    # options of commands: --password VALUE, sshpass -p VALUE, mysql -pVALUE, curl -u user:VALUE, docker login -p VALUE
    ("--", rf"(?i)(?P<keep>--(?:[a-z]{{1,20}}-)?(?:password|passwd|passphrase|token|secret|api-?key)\s+)(?!-){_VALUE}"),
    ("sshpass", rf"(?P<keep>\bsshpass\s+(?:-\S{{1,40}}\s+){{0,3}}?-p\s*){_VALUE}"),
    ("mysql", rf"(?P<keep>\bmysql\w{{0,20}}\s(?:[^|;&\n]{{0,200}}\s)?-p){_VALUE}"),
    (
        "curl",
        r"(?P<keep>\bcurl\s(?:[^|;&\n]{0,400}\s)?(?:-u|--user)[\s=]{0,9}[\"']?[^\s:\"']{1,100}:)(?P<secret>[^\s\"']+)",
    ),
    (
        "login",
        rf"(?P<keep>\b(?:docker|podman|nerdctl|skopeo|buildah|helm|oc|az)\s(?:[^|;&\n]{{0,80}}\s)?login\s(?:[^|;&\n]{{0,200}}\s)?-p[\s=]{{0,9}}){_VALUE}",
    ),
    ("redis", rf"(?P<keep>\bredis-cli\s(?:[^|;&\n]{{0,200}}\s)?-a\s+){_VALUE}"),
    ("ldap", rf"(?P<keep>\bldap\w{{1,20}}\s(?:[^|;&\n]{{0,200}}\s)?-w\s+){_VALUE}"),
    ("identified", rf"(?i)(?P<keep>\bidentified\s+by\s+)(?P<secret>{_QUOTED})"),
    # tokens that say by their beginning what they are, as their makers document
    (
        "xox xapp- gho_ ghp_ ghs_ ghr_ ghu_ github_pat_ glpat- glrt- gldt- glsoat- glptt- glcbt- akia asia aiza "
        "ya29. sk- k_live_ k_test_ sg. npm_ pypi- dckr_pat_ hvs. hvb. shpat_ shpss_ shpca_ dop_v1_ syt_",
        r"(?P<keep>)(?P<secret>\b(?:xox[abeoprs]-[\w-]{8,}|xapp-[\w-]{8,}|gh[opsru]_\w{20,}|github_pat_\w{20,}|"
        r"gl(?:pat|rt|dt|soat|ptt|cbt)-[\w-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}|"
        r"sk-[\w-]{20,}|[sr]k_(?:live|test)_\w{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_\w{30,}|pypi-[\w-]{16,}|"
        r"dckr_pat_[\w-]{16,}|hv[sb]\.[\w-]{20,}|shp(?:at|ss|ca)_[0-9a-f]{32}|dop_v1_[0-9a-f]{40,}|syt_[\w-]{16,}))",
    ),
    ("eyj", r"(?P<keep>)(?P<secret>\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*)"),
    ("bot", r"(?P<keep>\bbot)(?P<secret>\d{8,10}:[\w-]{35})\b"),
    # addresses that are the secret
    ("hooks.slack.com/", r"(?i)(?P<keep>hooks\.slack\.com/services/)(?P<secret>[\w/]+)"),
    ("/api/webhooks/", r"(?i)(?P<keep>/api/webhooks/)(?P<secret>\d+/[\w-]+)"),
    ("webhook.office.com/", r"(?i)(?P<keep>webhook\.office\.com/)(?P<secret>[\w@/-]+)"),
    ("/hooks/", r"(?i)(?P<keep>https?://[^\s/]{1,200}/hooks/)(?P<secret>[a-z0-9]{20,})"),
    ("sig", r"(?i)(?P<keep>[?&](?:x-amz-signature|x-amz-credential|sig|signature)=)(?P<secret>[^\s&\"'<>]{8,})"),
    # password hashes of crypt(3) and htpasswd
    ("$", r"(?P<keep>)(?P<secret>\$(?:1|2[abxy]|5|6|7|y|gy|apr1|argon2id?)\$[\w./$=,+-]{20,})"),
    (
        "-----begin",
        r"(?s)(?P<keep>)(?P<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
    ),
)
"""Words of which a text must contain one in lower case, because looking for them first makes most texts cheap; and the
pattern, whose `secret` is replaced."""
_LOOKED_FOR: Final = tuple((tuple(hints.split()), pattern) for hints, pattern in _SECRETS)
_NO_SECRET: Final = (
    r"(?i)\[redacted\]?.*|\*+|\.*|x{3,}|<.*|\$\{.*|\$\(.*|\$[a-z_][a-z0-9_]*|%\([a-z_]+\)s|\{\{.*|true|false|null|none|"
    r"nil|yes|no|not|is|was|the|required|expired|invalid|missing|wrong|unset|empty|changed|denied|prompt|stdin|file"
)
"""What stands where a secret would, and is none: a placeholder, a variable, a word of a message."""


def redact(value: str) -> tuple[str, int]:
    """The text with what looks like a secret replaced by "[redacted]", and how many were."""
    count = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal count
        secret = match.group("secret")
        if re.fullmatch(_NO_SECRET, secret.strip("\"'.")):
            return match.group(0)
        count += 1
        return match.group("keep") + REDACTED

    lowered = value.casefold()
    for hints, pattern in _LOOKED_FOR:
        for hint in hints:  # not any(): a report asks this of each of its texts, and most hold none of them
            if hint in lowered:
                value = re.sub(pattern, hide, value)
                break
    return value, count


PRIVATE: Final = "[private address]"
_PRIVATE: Final = (
    r"(?<![\w.:])(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}|"
    r"169\.254(?:\.\d{1,3}){2}|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])(?:\.\d{1,3}){2})(?!\w|\.\d)"
    r"|(?i:(?<![\w:])(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):[0-9a-f:]{2,60}(?![\w:]))"
)


def redact_addresses(value: str) -> tuple[str, int]:
    """The text without private network addresses (RFC 1918, RFC 6598, RFC 4193, link-local), and how many they were."""
    return re.subn(_PRIVATE, PRIVATE, value)


def where(error: BaseException) -> str:
    """An exception, or the first of a group, by its kind and line: its text may hold what was sent or a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"
