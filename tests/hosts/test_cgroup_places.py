"""Where each engine, driver and kernel keeps a container's cgroup: found by its process, under each shell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.hosts.cgroups import parse_cpu, parse_memory

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
ID = "ab" * 32
EL6 = "none /cgroup/memory cgroup rw,memory 0 0\nnone /cgroup/cpuacct cgroup rw,cpuacct 0 0\n"
EL7 = (
    "cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,memory 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpuacct,cpu 0 0\n"
    "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
)
HYBRID = f"{EL7}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
PLACES = {
    # what mounts say, the process's own cgroup file, where the files are, which form they have
    "el6, native": (EL6, f"2:memory:/docker/{ID}\n1:cpuacct:/docker/{ID}\n", "/cgroup", f"/docker/{ID}"),
    "el6, lxc": (EL6, f"2:memory:/lxc/{ID}\n1:cpuacct:/lxc/{ID}\n", "/cgroup", f"/lxc/{ID}"),
    "el7, cgroupfs": (EL7, f"4:memory:/docker/{ID}\n3:cpuacct,cpu:/docker/{ID}\n", "", f"/docker/{ID}"),
    "el7, systemd": (
        EL7,
        f"4:memory:/system.slice/docker-{ID}.scope\n3:cpuacct,cpu:/system.slice/docker-{ID}.scope\n",
        "",
        f"/system.slice/docker-{ID}.scope",
    ),
    "hybrid": (HYBRID, f"4:memory:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n0::/docker/{ID}\n", "", f"/docker/{ID}"),
    "v2, systemd": (UNIFIED, f"0::/system.slice/docker-{ID}.scope\n", "", f"/system.slice/docker-{ID}.scope"),
    "v2, cgroupfs": (UNIFIED, f"0::/docker/{ID}\n", "", f"/docker/{ID}"),
    "v2, podman": (
        UNIFIED,
        f"0::/machine.slice/libpod-{ID}.scope/container\n",
        "",
        f"/machine.slice/libpod-{ID}.scope",
    ),
    "v2, podman rootless": (
        UNIFIED,
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container\n",
        "",
        f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
    ),
    "v1, podman with cgroupfs": (
        EL7,
        f"4:memory:/libpod_parent/libpod-{ID}\n3:cpuacct,cpu:/libpod_parent/libpod-{ID}\n",
        "",
        f"/libpod_parent/libpod-{ID}",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_cgroups_of_each_engine_and_driver(
    shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path], place: str
) -> None:
    mounts, process, top, path = PLACES[place]
    if mounts is UNIFIED:
        files = {
            f"/sys/fs/cgroup{path}/memory.current": "9000\n",
            f"/sys/fs/cgroup{path}/memory.max": "20000\n",
            f"/sys/fs/cgroup{path}/memory.stat": "anon 5000\ninactive_file 4000\nslab 1\n",
            f"/sys/fs/cgroup{path}/memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n",
            f"/sys/fs/cgroup{path}/cpu.stat": "usage_usec 1500000\nuser_usec 1\nsystem_usec 1\n",
        }
    else:
        memory, processor = f"{top or '/sys/fs/cgroup'}/memory{path}", f"{top or '/sys/fs/cgroup'}/cpuacct{path}"
        if not top:
            processor = f"/sys/fs/cgroup/cpu,cpuacct{path}"
        files = {
            f"{memory}/memory.usage_in_bytes": "9000\n",
            f"{memory}/memory.limit_in_bytes": "20000\n",
            f"{memory}/memory.failcnt": "7\n",
            f"{memory}/memory.stat": "cache 1\ninactive_file 1\ntotal_inactive_file 4000\n",
            f"{memory}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            f"{processor}/cpuacct.usage": "1500000000\n",
        }
    root({"/proc/mounts": mounts, "/proc/77/cgroup": process, **files})
    body = run_probe(shell).ask(f"cg:77:{ID}")["cgroup"].body
    read = parse_memory(body, 1 << 30, NOW)[ID]
    assert (read.usage, read.working_set, read.limit, read.failures, read.oom_kills) == (9000, 5000, 20000, 7, 1)
    assert parse_cpu(body) == {ID: 1.5}
