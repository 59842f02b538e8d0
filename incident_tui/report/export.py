"""Writes a report to a file: whole or not at all, and never over something that is not a report as we wrote it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final, Literal

from incident_tui.report.as_json import FORMAT, to_json
from incident_tui.report.markdown import MARKER, render, untouched
from incident_tui.report.source import Source

Form = Literal["md", "json"]
_JSON_START: Final = f'{{\n  "format": "{FORMAT}"'


class ExportError(Exception):
    """The report could not be written; `sentence` says what, where and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def compose(source: Source, *, full: bool = False, form: Form = "md") -> str:
    """The text of the report, ending with a newline."""
    return to_json(source) if form == "json" else render(source, full=full)


def file_name(incident: str, form: str = "md") -> str:
    """A name for the report's file, of letters, digits, "-", "_" and "." only, e.g. "INC-20261123-k3f9.md"."""
    return (re.sub(r"[^A-Za-z0-9_.-]+", "-", incident)[:120].strip("-.") or "incident") + "." + form


def write_report(source: Source, path: Path | None, directory: Path, *, full: bool = False, form: Form = "md") -> Path:
    """Write the report and return its absolute path. For `/export [FILE]` and `export -o FILE`.

    Without `path`: `file_name` in the current directory, or in `directory`/reports when that cannot be written
    (`directory` is the journal's). A file is replaced only when it is a report as this program wrote it. Raises
    ExportError; then nothing has changed on the disk.
    """
    text = compose(source, full=full, form=form)
    name = file_name(source.incident, form)
    if path is not None:
        return _write(Path(os.path.expanduser(path)), text, name)
    return write_report_text(text, name, directory)


def write_report_text(text: str, name: str, directory: Path) -> Path:
    """Write a text of ours as `name` to the current directory, or to `directory`/reports when that cannot be written.
    Raises ExportError."""
    try:
        here = Path.cwd()
    except OSError:
        here = directory
    if here != directory and os.access(here, os.W_OK | os.X_OK):
        return _write(here / name, text, name)
    reports = directory / "reports"
    try:
        reports.mkdir(mode=0o2770, exist_ok=True)
    except OSError as error:
        raise ExportError(
            f"neither {here} nor {reports} can be written ({error.strerror}). Name a file elsewhere."
        ) from error
    return _write(reports / name, text, name)


def write_new(path: Path, text: str) -> Path:
    """Write a text of ours to a file that is not there yet; the absolute path. Raises ExportError."""
    path = Path(os.path.expanduser(path)).absolute()
    if os.path.lexists(path):
        another = path.with_name(f"{path.stem}-2{path.suffix}")
        raise ExportError(f"{path} exists already. Name another file, such as {another}.")
    return _write(path, text, path.name)


def _write(path: Path, text: str, name: str) -> Path:
    if "\0" in str(path):
        raise ExportError("the name of the file holds a NUL character. Name another one.")
    path = path.absolute()
    if os.path.isdir(path):
        raise ExportError(f"{path} is a directory. Name a file in it, such as {path / name}.")
    if os.path.islink(path):
        path = Path(os.path.realpath(path))
    _may_replace(path)
    try:
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        raise ExportError(_why(path, error)) from error
    try:
        with open(handle, "wb") as file:
            file.write(text.encode())
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
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def _why(path: Path, error: OSError) -> str:
    return f"{path} could not be written ({error.strerror or error}). Nothing was changed; name another file."


def _may_replace(path: Path) -> None:
    """Raise ExportError when `path` holds something else than a report that nobody has edited."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise ExportError(f"{path} is not an ordinary file. Name another one.")
        old = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ExportError(_why(path, error)) from error
    another = path.with_name(f"{path.stem}-2{path.suffix}")
    if old.startswith(MARKER):
        if not untouched(old):
            raise ExportError(
                f"{path} is a report that somebody has edited, and their text would be lost. "
                f"Name another file, such as {another}."
            )
    elif old and not old.startswith(_JSON_START):
        raise ExportError(f"{path} exists and is not a report of ours. Name another file, such as {another}.")
