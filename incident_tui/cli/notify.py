"""`notify`: what Nagios, Icinga, cron or a script calls to hand in an alert. Works whether or not a watch runs.

Reads only what every command needs of the configuration, and starts quickly: a monitor calls it for each notification.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import PROGRAM
from incident_tui.text import sanitise

_FIELDS: Final = ("title", "text", "severity", "status", "key", "since", "link", "group")
_INPUT: Final = 65_536


def notify(context: Context) -> int:
    """Exit status 0 when it is kept for the watch, 1 when it cannot be kept, 2 for what is no alert."""
    from incident_tui.journal.errors import JournalError
    from incident_tui.watch.alerts import spool
    from incident_tui.watch.alerts.alert import FormError

    words = context.call.words
    source = sanitise(words[0], limit=60) if words else "notify"
    if not all(one.isalnum() or one in "._-" for one in source):
        raise Failure(f"the source {source!r}: use one word of letters, digits, '.', '-' and '_'", 2)
    try:
        told = _told(context, source, words[1:])
        spool.put(context.directory, source, told, context.clock())
    except FormError as error:
        raise Failure(f"{source}: {error.sentence}", 2) from None
    except JournalError as error:
        raise Failure(error.sentence) from None
    return 0


def _told(context: Context, source: str, words: list[str]) -> Mapping[str, Any]:
    from incident_tui.watch.alerts import monitors
    from incident_tui.watch.alerts.alert import FormError, fields
    from incident_tui.watch.alerts.forms import decode

    options = context.call.options
    given: dict[str, Any] = {name: options[name] for name in _FIELDS if name in options}
    if source == "nagios" and not given:
        return monitors.nagios(os.environ)
    if source == "icinga" and not given:
        return monitors.icinga(words)
    if context.call.flag("stdin"):
        read = fields(decode(sys.stdin.buffer.read(_INPUT + 1)), "standard input")
        return {**read, **given}
    if words and "title" not in given:
        given["title"] = " ".join(words)
    labels = dict(pair.partition("=")[::2] for pair in options.get("labels", "").split(",") if "=" in pair)
    if "title" not in given and "text" not in given:
        raise FormError(f"say what it is: {PROGRAM} notify cron 'backup of web1 failed', or --title TEXT")
    return {**given, **({"labels": labels} if labels else {})}
