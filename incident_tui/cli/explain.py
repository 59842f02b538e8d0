"""`explain`: what a saved or pasted output of docker, gluster or the kernel's log says."""

from __future__ import annotations

import sys

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import LIMIT, explain
from incident_tui.incident.finding import Level
from incident_tui.text import sanitise


def explain_output(context: Context) -> int:
    """Reads the file, or standard input. Status 1 when the output says that something is wrong or not known."""
    place = context.call.words[0] if context.call.words else "-"
    try:
        if place == "-":
            data = sys.stdin.buffer.read(4 * LIMIT)
        else:
            with open(place, "rb") as file:
                data = file.read(4 * LIMIT)
    except OSError as problem:
        raise Failure(f"{sanitise(place, limit=200)} cannot be read: {problem.strerror}", 2) from None
    try:
        # a text saved by an editor of Windows begins with a mark
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        found = explain(data.decode(encoding, "replace"), context.clock())
    except Unreadable as problem:
        name = "standard input" if place == "-" else sanitise(place, limit=200)
        raise Failure(f"{name}: {problem.sentence}", 2) from None
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        print(f"{found.what}, of an unknown age:")
        for one in found.said:
            print(f"{_MARK[one.level]} {sanitise(one.sentence)}")
    return 0 if found.level is Level.OK else 1


_MARK = {Level.OK: "+ ok  ", Level.WARN: "! warn", Level.CRIT: "X crit", Level.UNKNOWN: "? ----"}
