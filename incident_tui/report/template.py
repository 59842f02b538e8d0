"""Jinja2 in a sandbox: templates print what they are given, escaped, and can change or reach nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from traceback import walk_tb
from types import CodeType
from typing import Any, Final

from jinja2 import (
    BytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from incident_tui import text
from incident_tui.incident.entry import Ref
from incident_tui.report.escape import Redact, Shown, join, machine

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
SUFFIX: Final = ".md.j2"
SHIPPED: Final = {
    "page": "one page: what happened, key times, what the board said, timeline",
    "full": "all 21 sections",
    "sre": "after the postmortem of Google's SRE book",
    "pagerduty": "after PagerDuty's post-mortem template",
    "summary": "a few lines for people who were not there",
    "public": "a statement for the public: no names, hosts, commands or handles",
    "performance": "what was measured, and what was found slow or full",
}
"""The templates that come with the program."""
_UNFIT: Final = ("safe", "escape", "e", "forceescape", "xmlattr", "urlize", "tojson", "pprint", "striptags")
"""Jinja's filters for HTML; in Markdown they would only look as if they escaped."""


class BrokenTemplate(Exception):
    """A template that cannot be filled; `sentence` names file, line and what is wrong there."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class _Compiled(BytecodeCache):
    """What this process has compiled, by file and the checksum of what is in it: compiling takes ten times as long as
    filling, and a document of several incidents or a report at each `/export` would pay for it again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.checksum, bucket.code


_COMPILED: Final = _Compiled()


class Templates(ImmutableSandboxedEnvironment):
    """The environment. Escaping is done by `finalize` for Markdown; autoescape (HTML) stays off. A file in `directory`
    takes the place of a shipped one of its name."""

    concat = staticmethod(join)

    def __init__(self, handle: Callable[[Ref], str], directory: Path = TEMPLATES, redact: Redact = text.redact) -> None:
        self.shown = Shown(handle, redact)
        super().__init__(
            loader=FileSystemLoader([directory, TEMPLATES]),
            undefined=StrictUndefined,
            finalize=self.shown.show,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            bytecode_cache=_COMPILED,
        )
        self.filters.update(self.shown.filters)
        self.globals["machine"] = machine
        for name in _UNFIT:
            self.filters.pop(name, None)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As the sandbox does it, with a short way for our own structures: they are frozen and hold only facts."""
        if isinstance(obj, Struct) and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass
        return super().getattr(obj, attribute)

    def fill(self, name: str, **values: Any) -> str:
        """The text of template `name`, with runs of blank lines made one."""
        filled = self.get_template(name).render(**values)
        return _single_blank_lines(str(filled))

    def fill_theirs(self, name: str, **values: Any) -> str:
        """As `fill`, for a template that a team wrote. Raises BrokenTemplate."""
        try:
            return self.fill(name, **values)
        except TemplateNotFound as error:
            raise BrokenTemplate(f"{name}: there is no template {_short(str(error.name or name))} to read.") from error
        except TemplateSyntaxError as error:
            place = error.filename or error.name or name
            raise BrokenTemplate(
                f"{place}, line {error.lineno}: {_short(error.message or 'not a template')}"
            ) from error
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise BrokenTemplate(f"{_place(error, name)}: {_short(str(error) or type(error).__name__)}") from error
        except RecursionError as error:
            raise BrokenTemplate(f"{_place(error, name)}: it includes or calls itself without end.") from error


def _place(error: BaseException, name: str) -> str:
    """File and line in the innermost template; Jinja rewrites its tracebacks to tell them."""
    found = name
    for frame, line in walk_tb(error.__traceback__):
        if "__jinja_template__" in frame.f_globals or frame.f_code.co_filename.endswith(".j2"):
            found = f"{frame.f_code.co_filename}, line {line}"
    return found


def _short(message: str) -> str:
    said = text.sanitise(message, limit=200).rstrip(".")
    return f"{said}. `incident-tui report fields` lists what a template can print."


def _single_blank_lines(value: str) -> str:
    """Templates leave blank lines where a part is missing. A fenced block keeps its own."""
    kept: list[str] = []
    fence = ""
    for line in value.split("\n"):
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            fence = "" if line.startswith(fence) and not line.strip("`") else fence
        elif len(ticks) >= 3:
            fence = ticks
        elif not line.strip() and kept and not kept[-1]:
            continue
        kept.append(line.rstrip() if not fence else line)
    return "\n".join(kept).strip("\n") + "\n"
