"""Jinja2 in a sandbox: templates print what they are given, escaped, and can change or reach nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from incident_tui.incident.entry import Ref
from incident_tui.report.escape import Shown, join

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
_UNFIT: Final = ("safe", "escape", "e", "forceescape", "xmlattr", "urlize", "tojson", "pprint", "striptags")
"""Jinja's filters for HTML; in Markdown they would only look as if they escaped."""


class Templates(ImmutableSandboxedEnvironment):
    """The environment. Escaping is done by `finalize` for Markdown; autoescape (HTML) stays off."""

    concat = staticmethod(join)

    def __init__(self, handle: Callable[[Ref], str], directory: Path = TEMPLATES) -> None:
        shown = Shown(handle)
        super().__init__(
            loader=FileSystemLoader(directory),
            undefined=StrictUndefined,
            finalize=shown.show,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self.filters.update(shown.filters)
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
