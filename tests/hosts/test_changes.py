"""What changed: each source in its old and new form, in the bastion's time; damage dates nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incident_tui.hosts.changes import Changes, changes
from incident_tui.hosts.readings import Clock, Container, Docker
from incident_tui.hosts.sections import Section

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
CLOCK = Clock(at=NOW, skew_seconds=60.0, error_seconds=0.1, utc_offset_seconds=3600)
"""The host's clock is a minute ahead, its zone an hour east."""


def found(name: str, body: str, docker: Docker | None = None) -> Changes:
    return changes("web1", [Section(name=f"asked:{name}", body=body, rc=0)], docker, CLOCK, NOW)


def rows(name: str, body: str) -> list[tuple[str, str]]:
    return [(f"{row.at:%H:%M:%S}", row.what) for row in found(name, body).rows]


def test_packages_of_debian_and_of_red_hat_old_and_new() -> None:
    dpkg = "2026-11-24 04:01:00 upgrade libc6:amd64 2.36-9 2.36-10\n2026-11-24 04:00:59 status installed x\n"
    assert rows("packages:dpkg.log", dpkg) == [("03:00:00", "package libc6 upgrade: 2.36-9 to 2.36-10")]
    yum = "Nov 24 04:01:00 Updated: kernel-2.6.32-754.el6.x86_64\n"
    assert rows("packages:yum.log", yum) == [("03:00:00", "package kernel-2.6.32-754.el6.x86_64 updated")]
    dnf = "2026-11-24T04:01:00+0100 SUBDEBUG Installed: nginx-1:1.20-1.el9.x86_64\n"
    assert rows("packages:dnf.rpm.log", dnf) == [("03:00:00", "package nginx-1:1.20-1.el9.x86_64 installed")]


def test_only_the_last_day_counts() -> None:
    assert rows("packages:dpkg.log", "2026-11-22 04:01:00 install x:amd64 <none> 1\n") == []


def test_images_say_only_how_long_ago() -> None:
    table = "REPOSITORY          TAG                 IMAGE ID            CREATED             VIRTUAL SIZE\n"
    table += "drupal              7                   0123456789ab        2 hours ago         400 MB\n"
    table += "solr                4                   1123456789ab        3 weeks ago         300 MB\n"
    (image,) = found("images", table).rows
    assert (image.what, image.exact, image.at) == ("image drupal:7 made", False, NOW - timedelta(hours=2))


def test_files_logins_and_reboots() -> None:
    stamp = int((NOW - timedelta(minutes=9)).timestamp())
    assert rows("touched", f"{stamp} /etc/docker/daemon.json\n") == [
        ("03:00:00", "file /etc/docker/daemon.json written")
    ]
    last = "root     pts/0        10.0.0.9         Tue Nov 24 04:01:00 2026   still logged in\n"
    last += "reboot   system boot  2.6.32-754.el6.x Tue Nov 24 03:31:00 2026 - Tue Nov 24 04:02:00 2026  (00:31)\n"
    assert rows("logins", last) == [
        ("03:00:00", "root logged in, pts/0 from 10.0.0.9"),
        ("02:30:00", "rebooted, kernel 2.6.32-754.el6.x"),
    ]


def test_containers_by_their_own_times() -> None:
    made = Container(id="ab" * 32, name="drupal-a", image="drupal:7", state="running", created_at=NOW)
    docker = Docker(at=NOW, version="1.6.2", containers=(made,))
    (row,) = changes("web1", [], docker, CLOCK, NOW).rows
    assert (row.what, row.at) == ("container drupal-a created, drupal:7", NOW - timedelta(minutes=1))


def test_what_cannot_be_read_is_named_and_hostile_text_is_harmless() -> None:
    assert found("images", "Cannot connect to the Docker daemon").unread == ("images",)
    assert found("logins", "sh: last: not found").unread == ("logins",)
    assert rows("touched", "99999999999999 /etc/x\n17 /etc/y\nx") == []
    (row,) = found("packages:dpkg.log", "2026-11-24 04:01:00 install \x1b[31mred:amd64 <none> 1\n").rows
    assert "\x1b" not in row.what
