"""Damaged outputs into every parser: nothing but `Unreadable` may come out. Prints how many inputs were tried.

    python benchmarks/fuzz.py [NUMBER] [SEED]

The seeds are the test fixtures, the forms and the pastes of tests/hosts; the damage is bytes changed, cut, doubled and
moved.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from incident_tui.hosts import (  # noqa: E402
    cgroups,
    docker,
    docker_compose,
    docker_files,
    docker_tables,
    explain_machine,
    gluster,
    gluster_state,
    gluster_tasks,
    gluster_text,
    kernel,
    kernel_events,
    local,
    machine,
)
from incident_tui.hosts.errors import Unreadable  # noqa: E402
from incident_tui.hosts.explain import explain  # noqa: E402
from incident_tui.hosts.sections import Framer  # noqa: E402
from tests.hosts.test_forms import FORMS  # noqa: E402
from tests.hosts.test_pastes import SAMPLES  # noqa: E402

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
CLOCK = kernel.LogClock(now=NOW, uptime=1000.0)
PARSERS: tuple[Callable[[str], Any], ...] = (
    lambda body: explain(body, NOW),
    docker.parse_inspect,
    docker.parse_state,
    docker.parse_event,
    docker_compose.parse_ps,
    docker_files.parse_files,
    docker_tables.parse_ps_table,
    docker_tables.parse_ps_json,
    docker_tables.parse_stats_table,
    docker_tables.parse_ps_rows,
    docker_tables.parse_stats_json,
    docker_tables.parse_event_json,
    gluster.peers_xml,
    gluster.volumes_xml,
    gluster.status_xml,
    gluster.heals_xml,
    gluster.volume_names_xml,
    gluster_text.peers_text,
    gluster_text.volumes_text,
    gluster_text.status_text,
    gluster_text.heals_text,
    gluster_text.heal_counts_text,
    lambda body: gluster_tasks.rebalance(body, "gv0", NOW),
    gluster_tasks.quota,
    gluster_tasks.geo_replication,
    gluster_state.snapshots,
    gluster_state.snapshot_bricks,
    gluster_state.state,
    lambda body: explain_machine.free(body, NOW),
    lambda body: explain_machine.top(body, NOW),
    lambda body: explain_machine.vmstat(body, NOW),
    lambda body: explain_machine.meminfo(body, NOW),
    lambda body: explain_machine.disks(body, NOW),
    lambda body: kernel.parse_ooms(body, CLOCK),
    lambda body: kernel_events.parse_events(body, CLOCK),
    local.parse_files,
    local.parse_space,
    local.parse_pending,
    local.parse_cmdlines,
    machine.parse_proc,
    machine.parse_gluster_mounts,
    lambda body: machine.parse_disks("/dev/sda1 / ext4 rw\n", body, body),
    lambda body: cgroups.parse_memory(body, 1 << 30, NOW),
    cgroups.parse_cpu,
    lambda body: Framer("ab" * 8).feed(body.encode()),
)


def seeds() -> list[bytes]:
    """The outputs that are damaged."""
    files = sorted((ROOT / "tests/hosts/fixtures").rglob("*.*"))
    said = [*(output for output, *_ in FORMS.values()), *(body for body, _ in SAMPLES.values())]
    return [file.read_bytes()[:6000] for file in files] + [output.encode() for output in said]


def damaged(seed: bytes, dice: random.Random) -> bytes:
    """One to four changes."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(data) + 1), dice.randint(1, 40)
        match dice.randrange(6):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length] * dice.randint(1, 3)
            case 3:
                data[at:at] = dice.choice(
                    (b"\x00", b"\xff", b"\r", b"\n", b"<", b"&", b"]]>", b"-", b"9" * 30, b"\xc3")
                )
            case 4:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case _:
                other = dice.randrange(len(data) + 1)
                data[at:at] = data[other : other + length]
    return bytes(data)


def inputs(number: int, seed: int) -> Iterator[tuple[Callable[[str], Any], str]]:
    """`number` pairs of a parser and what it is fed, the same for the same seed."""
    dice, known = random.Random(seed), seeds()
    for n in range(number):
        yield PARSERS[n % len(PARSERS)], damaged(dice.choice(known), dice).decode("utf-8", "replace")


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began, unreadable = time.monotonic(), 0
    for parser, body in inputs(number, seed):
        try:
            parser(body)
        except Unreadable:
            unreadable += 1
        except Exception as problem:
            print(f"{parser}: {problem!r} from {body!r}")
            return 1
    spent = time.monotonic() - began
    print(f"{number:,} inputs in {spent:.0f} s: {unreadable:,} unreadable, none raised anything else")
    return 0


if __name__ == "__main__":
    sys.exit(main())
