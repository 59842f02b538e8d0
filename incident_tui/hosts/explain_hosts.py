"""What many hosts printed in one text, as ansible, salt, clush, pdsh, pssh and fabric show it: each by itself. Pure."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import msgspec

from incident_tui import text

HOSTS = 1000
"""Hosts of one output; more are no output that somebody reads."""
_HOST = r"[\w.:@\[\],-]{1,255}"


class Printed(msgspec.Struct, frozen=True):
    """What one host printed, or the sentence of the tool why it printed nothing."""

    host: str
    output: str
    problem: str = ""


_ANSIBLE = re.compile(
    rf"(?P<host>{_HOST}) \| (?P<state>CHANGED|SUCCESS|FAILED|UNREACHABLE|success|unreachable|SKIPPED)!?"
    r"(?: \| rc=-?\d{1,5})? (?P<sign>>>|=>|\| \((?:stdout|stderr)\))(?P<rest>.*)\Z"
)
_PLAYED = re.compile(rf"(?:ok|changed|fatal|failed): \[(?P<host>{_HOST})\](?: \(item=.*?\))?(?:: [A-Z]+!)? => (?={{)")
_SALT = re.compile(r"(?P<host>[\w.-]{1,255}):\s*\Z")
_SALT_NOT = re.compile(r"Minion did not return|No minions? matched|Not connected")
_PSSH = re.compile(r"\[\d{1,5}\] \d\d:\d\d:\d\d \[(?P<state>SUCCESS|FAILURE)\] (?P<host>\S{1,255})(?: (?P<why>.*))?\Z")
_BLOCK = re.compile(rf"(?m)^-{{10,}}\n(?P<host>{_HOST})(?: \(\d{{1,6}}\))?\n-{{10,}}\n")
_NO_HOSTS = frozenset(
    {
        *("error", "warning", "warn", "info", "note", "usage", "stderr", "stdout", "sh", "bash", "kernel", "dmesg"),
        *("docker", "podman", "gluster", "hostname", "uuid", "state", "port", "type", "status", "brick", "bricks"),
    }
)
_EACH = re.compile(r"(?:\[(?P<fabric>[\w.@:-]{1,255})\] (?:out|err): ?|(?P<host>[\w.-]{1,255}):(?: |\Z))(?P<line>.*)\Z")


def by_host(output: str) -> tuple[Printed, ...]:
    """Each host's part in the order of the text; empty when no tool's own lines show that there are several."""
    lines = [line.rstrip("\r") for line in output.split("\n")]
    first = next((line for line in lines if line.strip()), "")
    if any(_ANSIBLE.match(line) for line in lines):
        found = _ansible(lines)
    elif any(_PLAYED.match(line) for line in lines):
        found = _played("\n".join(lines))
    elif any(_PSSH.match(line) for line in lines):
        found = _pssh(lines)
    elif re.match(r"-{10,}\Z", first) and _BLOCK.match("\n".join(lines).lstrip("\n")):
        parts = _BLOCK.split("\n".join(lines))
        found = [Printed(host, body) for host, body in zip(parts[1::2], parts[2::2], strict=True)]
    elif _SALT.match(first):
        found = _salt(lines)
    else:
        found = []
    return tuple(
        Printed(text.sanitise(one.host, limit=255), textwrap.dedent(one.output), text.sanitise(one.problem, limit=160))
        for one in found[:HOSTS]
    )


def by_prefix(output: str) -> tuple[Printed, ...]:
    """pdsh's and clush's form: the host's name before each line. Any text of "key: value" looks so, too: a word of ours
    is no host, and neither is what stands before one line alone."""
    parts: dict[str, list[str]] = {}
    for line in output.split("\n"):
        if not line.strip():
            continue
        match = _EACH.match(line.rstrip("\r"))
        if match is None:
            return ()
        parts.setdefault(match["fabric"] or match["host"], []).append(match["line"])
    words = {host.casefold() for host in parts}
    if not parts or len(parts) > HOSTS or words & _NO_HOSTS or any(len(lines) < 2 for lines in parts.values()):
        return ()
    return tuple(Printed(text.sanitise(host, limit=255), "\n".join(lines)) for host, lines in parts.items())


def _ansible(lines: list[str]) -> list[Printed]:
    out: list[Printed] = []
    host, state, told_by, kept = "", "", "", list[str]()

    def close() -> None:
        body = "\n".join(line for line in kept if line.strip() != "non-zero return code")
        if not host:
            return
        # "=> {…}": the module's own words; what a command printed stands below ">>"
        told = _words(body) if told_by == "=>" else None
        if state.upper() == "UNREACHABLE" or (told is not None and state.upper() == "FAILED") or not body.strip():
            out.append(Printed(host, "", f"{state.lower()}: {told or body.strip() or 'nothing was printed'}"))
        else:
            out.append(Printed(host, told if told is not None else body))

    for line in lines:
        match = _ANSIBLE.match(line)
        if match is None:
            kept.append(line)
            continue
        close()
        # ansible -o has all on one line
        host, state, told_by = match["host"], match["state"], match["sign"]
        kept = match["rest"].strip().split("\\n")
    close()
    return out


def _words(body: str) -> str | None:
    """What a JSON answer of ansible says: what was printed, or its message. None when it is no JSON."""
    try:
        said, _ = json.JSONDecoder().raw_decode(body.lstrip())
    except (ValueError, RecursionError):
        return None
    places = [said, *(one for one in said.values() if isinstance(one, dict))] if isinstance(said, dict) else []
    return next((words for place in places if (words := _printed(place))), "")


def _printed(place: Mapping[str, Any]) -> str:
    for name, value in place.items():
        if name.rpartition(".")[2] in ("stdout", "stdout_lines", "msg"):
            if isinstance(value, list) and all(isinstance(line, str) for line in value):
                value = "\n".join(value)
            if isinstance(value, str) and value:
                return value
    return ""


def _played(output: str) -> list[Printed]:
    """A playbook's `debug`, or -v."""
    out = []
    for match in re.finditer(rf"(?m)^{_PLAYED.pattern}", output):
        said = _words(output[match.end() :])
        out.append(Printed(match["host"], said or "", "" if said else "nothing was printed"))
    return out


def _pssh(lines: list[str]) -> list[Printed]:
    out: list[tuple[str, list[str], str]] = []
    for line in lines:
        if match := _PSSH.match(line):
            out.append((match["host"], [], match["why"] or "" if match["state"] == "FAILURE" else ""))
        elif out:
            out[-1][1].append(line.removeprefix("Stderr: "))
    return [Printed(host, "\n".join(body), why if not "".join(body).strip() else "") for host, body, why in out]


def _salt(lines: list[str]) -> list[Printed]:
    """Host lines, and below each its output by four blanks to the right; anything else in the text is not salt's."""
    out: list[tuple[str, list[str]]] = []
    for line in lines:
        if re.match(r"ERROR: Minions returned with|-{10,}\Z", line):
            continue
        if match := _SALT.match(line):
            out.append((match["host"], []))
        elif not line.strip() or line.startswith("    "):
            if out:
                out[-1][1].append(line)
        else:
            return []
    found = []
    for host, body in out:
        said = "\n".join(body)
        none = _SALT_NOT.search(said) or not said.strip()
        found.append(Printed(host, "" if none else said, said.strip() or "nothing was printed" if none else ""))
    return found
