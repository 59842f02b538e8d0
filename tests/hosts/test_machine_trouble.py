"""Devices, file systems, reboots and the end of memory: from the kernel's lines to the findings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import health, machine
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.kernel import LogClock
from incident_tui.hosts.kernel_events import parse_events
from incident_tui.hosts.readings import Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "kind", "device"),
    [
        ("end_request: I/O error, dev sdb, sector 2048", "io-error", "sdb"),
        ("Buffer I/O error on device dm-3, logical block 0", "io-error", "dm-3"),
        ("blk_update_request: I/O error, dev sda, sector 1 op 0x1:(WRITE)", "io-error", "sda"),
        ("print_req_error: critical medium error, dev sdc, sector 7", "io-error", "sdc"),
        ("EXT4-fs error (device sdb1): ext4_find_entry:1454: inode #2", "file-system", "sdb1"),
        ("EXT4-fs (sdb1): Remounting filesystem read-only", "read-only", "sdb1"),
        ("XFS (dm-2): Internal error xfs_trans_cancel at line 990", "file-system", "dm-2"),
        ("XFS (dm-2): Corruption of in-memory data detected.  Shutting down filesystem", "read-only", "dm-2"),
        ("BTRFS error (device sdd): bdev /dev/sdd errs: wr 1", "file-system", "sdd"),
        ("INFO: task glusterfsd:1812 blocked for more than 120 seconds.", "hung-task", "glusterfsd"),
    ],
)
def test_each_kind_of_line(line: str, kind: str, device: str) -> None:
    (event,) = parse_events(f"[  100.000000] {line}\n[  101.0] eth0: link up\n", LogClock(now=NOW, uptime=160.0))
    assert (event.kind, event.device) == (kind, device)
    assert event.at == NOW - timedelta(seconds=60)


class Host:
    """One host's rounds, by /proc lines."""

    def __init__(self) -> None:
        self.at = NOW
        self.assembler = Assembler("web1", (), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))

    def round(self, *, uptime: float = 1000.0, available: int = 1 << 20, log: str | None = None) -> None:
        proc = f"/proc/loadavg:0.1 0.1 0.1 1/99 1\n/proc/uptime:{uptime} 1.0\n/proc/meminfo:MemTotal: 2000000 kB\n"
        proc += f"/proc/meminfo:MemAvailable: {available} kB\n/proc/vmstat:pswpin 0\n/proc/vmstat:pswpout 0\n"
        sections = [Section(name="proc", body=proc, rc=0)]
        if log is not None:
            sections.append(Section(name="oom-dmesg", body=log, rc=0))
        self.assembler.take(sections, self.at, self.at)

    def said(self, rule: str) -> list[str]:
        reading = self.assembler.reading
        return [one.sentence for one in health.findings([reading], Thresholds(), self.at) if one.rule == rule]


def test_a_reboot_is_seen_and_passes() -> None:
    host = Host()
    host.round(uptime=90000.0)
    assert host.said("host.rebooted") == []
    host.at += timedelta(seconds=90)
    host.round(uptime=30.0)
    assert host.said("host.rebooted") == ["web1: rebooted at 03:11:00Z"]
    host.at += timedelta(minutes=16)
    host.round(uptime=990.0)
    assert host.said("host.rebooted") == []


def test_the_end_of_memory_is_foretold_only_from_a_steady_fall() -> None:
    falling, wavering = Host(), Host()
    for n in range(12):
        for host in (falling, wavering):
            host.at = NOW + timedelta(seconds=20 * n)
        falling.round(available=900_000 - 20_000 * n)
        wavering.round(available=900_000 - 200_000 * (n % 2))
    assert falling.said("machine.memory-falling") == ["web1: out of memory in about 11 min if it goes on so"]
    assert wavering.said("machine.memory-falling") == []


def test_errors_of_a_device_are_a_finding_for_half_an_hour() -> None:
    host = Host()
    host.round(uptime=500.0)
    lines = "[  440.0] end_request: I/O error, dev sdb, sector 8\n[  441.0] end_request: I/O error, dev sdb, sector 9\n"
    host.round(uptime=500.0, log=lines)
    assert host.said("disk.io-error") == ["web1: I/O errors (sdb), 2 times, last at 03:09:01Z"]
    host.at += timedelta(minutes=31)
    host.round(uptime=500.0 + 31 * 60, log=lines)
    assert host.said("disk.io-error") == []


def test_memory_of_an_old_kernel_is_estimated_as_newer_kernels_do() -> None:
    kib = 1024
    meminfo = {"MemTotal": 2_000_000 * kib, "MemFree": 100_000 * kib, "Active(file)": 300_000 * kib}
    meminfo |= {"Inactive(file)": 200_000 * kib, "SReclaimable": 50_000 * kib, "min_free": 16_000 * kib}
    found = machine.memory(meminfo, NOW)
    assert found.estimated
    assert found.available == (100_000 - 20_000 + 500_000 - 20_000 + 50_000 - 20_000) * kib


def test_gluster_mounts_are_named_without_touching_them() -> None:
    lines = "/dev/sda1 / ext4 rw\nweb1:/gv0 /srv/web\\040files fuse.glusterfs ro,relatime\n"
    (mount,) = machine.parse_gluster_mounts(lines)
    assert (mount.server, mount.volume, mount.mount, mount.read_only) == ("web1", "gv0", "/srv/web files", True)
    df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 50 50 50% /\n"
    (disk,) = machine.parse_disks(lines, df, "")
    assert disk.mount == "/"
