"""Readings in a few words, for narrow rows, and what the system refused. Pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from incident_tui.hosts.cluster import VolumeView
from incident_tui.hosts.readings import Container
from incident_tui.incident.finding import Finding
from incident_tui.journal.errors import JournalError
from incident_tui.text import sanitise

PAGE_BYTES: Final = 4096


def container_words(container: Container, found: Sequence[Finding]) -> str:
    """ "OOM 137 x3", "exited 1", "restarting", "unhealthy", "mem 95%"; the state when it is well."""
    rules = {one.rule.removeprefix("docker.container-") for one in found}
    times = f" x{container.restarts_recent}" if container.restarts_recent else ""
    ended = container.state in ("exited", "stopped", "dead")
    if "oom" in rules:
        return f"OOM{f' {container.exit_code}' if ended and container.exit_code else ''}{times}"
    if ended:
        return f"{container.state} {container.exit_code}{times}"
    if "unhealthy" in rules:
        return f"unhealthy{times}"
    if container.state != "running":
        return f"{container.state}{times}"
    if "restarting" in rules:
        return f"restarted{times}"
    memory = container.memory
    limit = memory.limit if memory and memory.limit else container.memory_limit
    if "memory" in rules and memory is not None and limit:
        return f"mem {100 * memory.working_set / limit:.0f}%"
    return container.health if container.health == "starting" else "running"


def volume_words(volume: VolumeView) -> str:
    """ "bricks 2/3 SPLIT 1", "bricks 3/3 heal 12", "bricks 2/3 ?1 heal ?": what nothing fresh says is "?"."""
    if volume.status != "started":
        return volume.status
    unknown = sum(brick.up is None for brick in volume.bricks)
    up = str(volume.up) if unknown < len(volume.bricks) else "?"
    words = f"bricks {up}/{len(volume.bricks)}" + (f" ?{unknown}" if 0 < unknown < len(volume.bricks) else "")
    if volume.definition.set_size <= 1:
        return words
    heals = volume.heals
    if heals is None:
        return f"{words} heal ?"
    if heals.split_brain:
        return f"{words} SPLIT {heals.split_brain}"
    if heals.split_brain is None:
        words += " split ?"
    pending = "?" if heals.pending is None else str(heals.pending)
    return f"{words} heal {pending}"


def rate(pages: float) -> str:
    """Pages a second as bytes a second: "0", "12k/s", "2M/s"."""
    number = pages * PAGE_BYTES
    if number < 1024:
        return "0" if number < 1 else "<1k/s"
    for unit in ("k", "M", "G"):
        number /= 1024
        if number < 999.5 or unit == "G":
            break
    return f"{number:.0f}{unit}/s" if number >= 9.95 or number == int(number) else f"{number:.1f}{unit}/s"


def refusal(error: OSError | JournalError) -> str:
    """ "Permission denied: /srv/report", or the journal's own sentence."""
    if isinstance(error, JournalError):
        return error.sentence
    if not error.strerror:
        return str(error)
    return f"{error.strerror}: {sanitise(os.fsdecode(error.filename))}" if error.filename else error.strerror
