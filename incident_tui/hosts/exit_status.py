"""What a container's exit status means. Pure. Sources: docker run(1), "Exit status"; signal(7): 128 + its number."""

from __future__ import annotations

import signal
from typing import Final

from incident_tui.hosts.readings_docker import Container

_MEANINGS: Final = {
    125: "docker could not run it",
    126: "not executable",
    127: "command not found",
    137: "killed",
    143: "terminated",
}


def meaning(code: int) -> str:
    """A few words, or empty where the status is the program's own."""
    if code in _MEANINGS:
        return _MEANINGS[code]
    try:
        return f"signal {signal.Signals(code - 128).name}" if 128 < code < 160 else ""
    except ValueError:
        return ""


def explained(container: Container, *, oom: bool) -> str:
    """Of one that ended, a sentence. `oom`: there is evidence that memory ran out in it."""
    code = container.exit_code
    if code == 0:
        return "0: it ended by itself, without an error"
    if oom:
        return f"{code}: killed, out of memory"
    if container.stopped_on_purpose and code in (137, 143):
        how = "and was killed after its time was over" if code == 137 else "and ended in order"
        return f"{code}: it was told to stop {how}"
    if code == 137:
        return "137: killed; nothing read says that memory ran out, nor that somebody stopped it"
    if code == 143:
        return "143: terminated; no stop was seen"
    said = meaning(code)
    return f"{code}: {said}" if said else f"{code}: an error of its own; its log may say which"
