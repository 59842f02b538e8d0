"""Writes a report to a file: whole or not at all, keeping what people wrote in it, and never over another file."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from incident_tui.journal.umask import umask
from incident_tui.report.as_json import FORMAT, to_json
from incident_tui.report.document import parse
from incident_tui.report.markdown import make, render, untouched
from incident_tui.report.merge import Merged
from incident_tui.report.redacting import BadPattern
from incident_tui.report.source import PLAIN, Source, Style
from incident_tui.report.template import BrokenTemplate

Form = Literal["md", "json"]
_JSON_START: Final = f'{{\n  "format": "{FORMAT}"'


class ExportError(Exception):
    """The report could not be written; `sentence` says what, where and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Written(msgspec.Struct, frozen=True):
    """`notes` are sentences about what people had written there before."""

    path: Path
    notes: tuple[str, ...] = ()


def compose(source: Source, *, full: bool = False, form: Form = "md", style: Style = PLAIN) -> str:
    """The text of the report, ending with a newline. Raises ExportError."""
    try:
        return to_json(source) if form == "json" else render(source, full=full, style=style)
    except BrokenTemplate as error:
        raise ExportError(error.sentence) from error
    except BadPattern as error:
        raise ExportError(f"[report] redact[{error.number}]: {error.sentence}") from error


def file_name(incident: str, form: str = "md") -> str:
    """A name for the report's file, of letters, digits, "-", "_" and "." only, e.g. "INC-20261123-k3f9.md"."""
    return (re.sub(r"[^A-Za-z0-9_.-]+", "-", incident)[:120].strip("-.") or "incident") + "." + form


def write_report(
    source: Source,
    path: Path | None,
    directory: Path,
    *,
    full: bool = False,
    form: Form = "md",
    style: Style = PLAIN,
) -> Written:
    """Write the report. For `/export [FILE]` and `export -o FILE`.

    Without `path`: `file_name` in the current directory, or in `directory`/reports when that cannot be written
    (`directory` is the journal's). A file is replaced only when it is a report of ours; what people wrote in it is
    kept (`merge`). Raises ExportError; then nothing has changed on the disk.
    """
    name = file_name(source.incident, form)
    target = Path(os.path.expanduser(path)) if path is not None else _default(name, directory)
    old = _old(target, name)
    if form == "json":
        _may_replace(target, old)
    if form == "json" or not old or old.startswith(_JSON_START):
        return Written(_write(target, compose(source, full=full, form=form, style=style), name))
    try:
        made = make(source, full=full, style=style, old=old)
    except BrokenTemplate as error:
        raise ExportError(error.sentence) from error
    except BadPattern as error:
        raise ExportError(f"[report] redact[{error.number}]: {error.sentence}") from error
    return Written(_write(target, made.text, name), tuple(_notes(made.merged)) if made.merged is not None else ())


def _notes(merged: Merged) -> Iterator[str]:
    yield "what people wrote there was kept"
    if merged.conflicts:
        yield f"somebody changed what the program wrote: look for **Conflict** in {', '.join(merged.conflicts)}"
    if merged.left_out:
        yield f"parts that were deleted there stay out: {', '.join(merged.left_out)}"
    if merged.homeless:
        yield f"{merged.homeless} lines have no place in this template and stand in the appendix"


def write_report_text(text: str, name: str, directory: Path) -> Path:
    """Write a text of ours as `name` to the current directory, or to `directory`/reports when that cannot be written.
    Raises ExportError."""
    path = _default(name, directory)
    _may_replace(path, _old(path, name))
    return _write(path, text, name)


def _default(name: str, directory: Path) -> Path:
    """Where a report goes that no file was named for. Raises ExportError."""
    try:
        here = Path.cwd()
    except OSError:
        here = directory
    if here != directory and os.access(here, os.W_OK | os.X_OK):
        return here / name
    reports = directory / "reports"
    try:
        reports.mkdir(mode=0o2770, exist_ok=True)
    except OSError as error:
        raise ExportError(
            f"neither {here} nor {reports} can be written ({error.strerror}). Name a file elsewhere."
        ) from error
    return reports / name


def write_new(path: Path, text: str | bytes) -> Path:
    """Write a text of ours to a file that is not there yet; the absolute path. Raises ExportError."""
    path = Path(os.path.expanduser(path)).absolute()
    if os.path.lexists(path):
        another = path.with_name(f"{path.stem}-2{path.suffix}")
        raise ExportError(f"{path} exists already. Name another file, such as {another}.")
    return _write(path, text, path.name)


def _write(path: Path, text: str | bytes, name: str) -> Path:
    """The absolute path, where the text is now, whole. Raises ExportError, and then nothing has changed."""
    path = _resolved(path, name)
    try:
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        raise ExportError(_why(path, error)) from error
    try:
        with open(handle, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, _mode(path))
        os.replace(scratch, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        if isinstance(error, OSError):
            raise ExportError(_why(path, error)) from error
        raise
    return path


def _mode(path: Path) -> int:
    """That of the file it replaces, or what the umask leaves."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        with umask(0o077) as before:
            return 0o666 & ~before


def _why(path: Path, error: OSError) -> str:
    return f"{path} could not be written ({error.strerror or error}). Nothing was changed; name another file."


def _resolved(path: Path, name: str) -> Path:
    if "\0" in str(path):
        raise ExportError("the name of the file holds a NUL character. Name another one.")
    path = path.absolute()
    if os.path.isdir(path):
        raise ExportError(f"{path} is a directory. Name a file in it, such as {path / name}.")
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _may_replace(path: Path, old: str) -> None:
    """Raise ExportError when people have worked on the report that is there."""
    if old and not old.startswith(_JSON_START) and not untouched(old):
        raise ExportError(
            f"{path} is a report that somebody has edited, and their text would be lost. "
            f"Name another file, such as {_another(path)}."
        )


def _another(path: Path) -> Path:
    return path.with_name(f"{path.stem}-2{path.suffix}")


def _old(path: Path, name: str) -> str:
    """What is in the file; empty when there is none. Raises ExportError when it is not a report of ours."""
    path = _resolved(path, name)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise ExportError(f"{path} is not an ordinary file. Name another one.")
        raw = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ExportError(_why(path, error)) from error
    try:
        old = raw.decode("utf-8")
    except UnicodeDecodeError:
        old = raw.decode("utf-8", "replace")
        if parse(old).ours:
            raise ExportError(
                f"{path} is a report that is not UTF-8 any more, and words in it would be lost. Save it as UTF-8, or "
                f"name another file, such as {_another(path)}."
            ) from None
    if old and not old.startswith(_JSON_START) and not parse(old).ours:
        raise ExportError(f"{path} exists and is not a report of ours. Name another file, such as {_another(path)}.")
    return old
