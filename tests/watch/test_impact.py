"""Which public sites a finding touches: what is configured, what is inferred, and what is neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_tui.hosts.cluster import view as cluster_view
from incident_tui.hosts.readings import (
    Brick,
    Container,
    Docker,
    Gluster,
    GlusterMount,
    HostReading,
    Link,
    LinkState,
    LocalBrick,
    Mounts,
    Volume,
)
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.entry import Author, Entry
from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.impact import Impact, impact, words
from incident_tui.watch.recorder import Recorder
from incident_tui.watch.settings import Site

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
RELIEF = Site(name="reliefweb", url="https://reliefweb.example/", hosts=("web1", "web2"))
RESPONSE = Site(name="response", url="http://response.example:8080/health", hosts=("web2",))
OTHER = Site(name="other", url="https://www.other.example/")


def container(name: str, **fields: Any) -> Container:
    return Container(id=f"{name:0<64}", name=name, state="running", **fields)


def host(name: str, *containers: Container, mounts: tuple[GlusterMount, ...] = ()) -> HostReading:
    volumes = tuple(
        Volume(name=one, status="started", bricks=(Brick(host="web1", path=f"/b/{one}"),)) for one in ("gv0", "gv1")
    )
    bricks = tuple(LocalBrick(volume=one.name, path=f"/b/{one.name}") for one in volumes) if name == "web1" else ()
    return HostReading(
        host=name,
        at=NOW,
        link=Link(state=LinkState.UP, sentence="", since=NOW, at=NOW),
        docker=Docker(at=NOW, version="1.6.2", containers=containers),
        gluster=Gluster(at=NOW, glusterd_alive=True, volumes=volumes, bricks=bricks),
        mounts=Mounts(at=NOW, gluster=mounts),
    )


def made(*hosts: HostReading, sites: tuple[Site, ...] = (RELIEF, RESPONSE, OTHER)) -> Impact:
    return impact(sites, {one.host: one for one in hosts}, cluster_view(list(hosts), Thresholds(), NOW))


def finding(rule: str, subject: str, on: str = "") -> Finding:
    return Finding(rule, Level.CRIT, subject, f"{subject}: bad", NOW, on)


def test_a_host_touches_the_sites_that_name_it() -> None:
    found = made(host("web1"), host("web2"), host("build1"))
    assert found.of(finding("machine.memory", "web1", "web1")) == {"reliefweb": False}
    assert found.of(finding("docker.daemon-down", "web2", "web2")) == {"reliefweb": False, "response": False}
    assert found.of(finding("machine.memory", "build1", "build1")) == {}
    assert found.of(finding("site.down", "reliefweb")) == {}


@pytest.mark.parametrize(
    ("fields", "touched"),
    [
        ({"names": ("reliefweb.example",)}, {"reliefweb"}),
        ({"names": ("*.OTHER.example",)}, {"other"}),
        ({"names": ("elsewhere.example",)}, set()),
        ({"ports": ("8080->80/tcp",)}, {"response"}),
        ({"ports": ("127.0.0.1:443->443/tcp",)}, {"reliefweb"}),
        ({"ports": ("9090->80/tcp",)}, {"reliefweb", "response"}),
        ({}, {"reliefweb", "response"}),
    ],
)
def test_a_container_by_its_names_its_ports_or_its_host(fields: dict[str, Any], touched: set[str]) -> None:
    found = made(host("web2", container("one", **fields)))
    assert found.of(finding("docker.container-down", "web2 one", "web2")) == dict.fromkeys(touched, True)


def test_a_name_makes_a_host_that_nobody_configured_part_of_it() -> None:
    found = made(host("web9", container("one", names=("www.other.example",)), container("mysql")))
    assert found.of(finding("machine.memory", "web9", "web9")) == {"other": True}
    assert found.of(finding("docker.container-down", "web9 mysql", "web9")) == {}


def test_a_volume_is_under_the_sites_of_the_containers_that_have_a_directory_of_it() -> None:
    mount = GlusterMount(server="web1", volume="gv0", mount="/srv/files")
    one = container("drupal-a", names=("reliefweb.example",), mounts=("/srv/files/site-a", "/etc/localtime"))
    two = container("drupal-b", names=("www.other.example",), mounts=("/srv/files-old",))
    found = made(host("web2", one, two, mounts=(mount,)), host("web1"))
    brick = finding("gluster.brick-down", "gv0 web1:/b/gv0", "web1")
    assert found.of(brick) == {"reliefweb": True}
    assert found.of(finding("gluster.split-brain", "gv0")) == {"reliefweb": True}
    assert found.of(finding("gluster.split-brain", "gv1")) == {}
    assert found.of(finding("gluster.peer-disconnected", "peer web1")) == {"reliefweb": True}
    assert found.of(finding("gluster.glusterd-down", "web1", "web1")) == {"reliefweb": True}


def test_a_container_on_the_brick_itself_and_a_host_of_which_no_container_tells_its_directories() -> None:
    on_brick = made(host("web1", container("old", names=("response.example",), mounts=("/b/gv1/files",))))
    assert on_brick.of(finding("gluster.heal-backlog", "gv1")) == {"response": True}
    silent = made(host("web2", mounts=(GlusterMount(server="web1", volume="gv0", mount="/srv"),)), host("web1"))
    assert silent.of(finding("gluster.heal-backlog", "gv0")) == {"reliefweb": True, "response": True}


def test_what_is_under_a_failing_site_and_how_it_is_said() -> None:
    found = made(host("web2", container("one", names=("reliefweb.example",))), host("web1"))
    memory, down = finding("machine.memory", "web2", "web2"), finding("docker.container-down", "web2 one", "web2")
    elsewhere = finding("machine.memory", "build1", "build1")
    assert found.under("reliefweb", [memory, down, elsewhere]) == [(memory, False), (down, True)]
    assert words(found.of(memory)) == "reliefweb, response"
    assert words({"a": False, "b": True, "c": True}) == "a; b, c (inferred)"
    assert words({}) == ""


def test_observations_carry_the_sites_also_when_it_is_over() -> None:
    found = made(host("web1"))
    recorder = Recorder(timedelta(seconds=10), Author("watch", uid=0))
    bad = finding("machine.memory", "web1", "web1")
    said = []
    for seconds, present in ((0, [bad]), (11, [bad]), (20, []), (31, [])):
        said += recorder.observe(present, NOW + timedelta(seconds=seconds), None, found.of)
    assert [(draft.data["level"], draft.data.get("sites")) for draft in said] == [
        ("crit", ["reliefweb"]),
        ("ok", ["reliefweb"]),
    ]


def test_what_is_over_after_a_new_watch_began_still_names_its_sites() -> None:
    """The new watch has never seen the finding: the journal says what it touched."""
    found = made(host("web1"))
    first = Recorder(timedelta(seconds=10), Author("watch", uid=0))
    bad = finding("machine.memory", "web1", "web1")
    first.observe([bad], NOW, None, found.of)
    (began,) = first.observe([bad], NOW + timedelta(seconds=11), None, found.of)
    author, at = began.author, began.at
    entry = Entry("j", 1, began.kind, at, at, author, began.text, data=began.data)
    second = Recorder(timedelta(seconds=10), Author("watch", uid=0))
    second.remember([entry])
    second.observe([], NOW + timedelta(seconds=20), None, found.of)
    (over,) = second.observe([], NOW + timedelta(seconds=31), None, found.of)
    assert (over.data["level"], over.data["sites"]) == ("ok", ["reliefweb"])
