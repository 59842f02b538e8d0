"""The raw texts that are kept: bounded, clean, and without secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.hosts.raw import PIECE, WHOLE, RawKeeper, RawText
from incident_tui.hosts.sections import Section

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SECRET = "hunter2-s3cr3t"


def kept(*sections: Section) -> RawText:
    keeper = RawKeeper("web1")
    keeper.take(sections, NOW)
    return keeper.text()


def section(name: str, body: str, **fields: Any) -> Section:
    return Section(name=name, body=body, rc=fields.pop("rc", 0), **fields)


def inspected(ident: str = "a" * 64, **fields: Any) -> dict[str, Any]:
    return {"Id": ident, "Name": "/drupal", "State": {"Running": True, "OOMKilled": False}, **fields}


def test_each_container_has_its_own_piece() -> None:
    body = json.dumps([inspected("a" * 64), inspected("b" * 64, State={"Running": False, "ExitCode": 137})])
    raw = kept(section("docker-inspect", body), section("proc", "/proc/loadavg:1 2 3"))
    assert [one.name[:16] for one in raw.sections] == ["docker-inspect:b", "docker-inspect:a", "proc"]
    assert '"ExitCode": 137' in raw.sections[0].text and "137" not in raw.sections[1].text


@pytest.mark.parametrize(
    "fields",
    [
        {"Config": {"Env": [f"DB_URL={SECRET}", f"PLAIN={SECRET}"]}},
        {"ContainerConfig": {"Env": {"X": SECRET}}},
        {"Config": {"Cmd": ["mysqld", f"--password={SECRET}"]}},
        {"Config": {"Cmd": ["mysql", "--password", SECRET]}},
        {"Args": ["redis-server", "-a", SECRET]},
        {"Args": ["sh", "-c", f"mysql -uroot -p{SECRET} db"]},
        {"Args": ["sh", "-c", f"exec app --api-key {SECRET}"]},
        {"Config": {"Labels": {"com.example.token": SECRET}}},
        {"Config": {"Labels": {"traefik.basicauth": f"https://ana:{SECRET}@example.org/"}}},
        {"HostConfig": {"LogConfig": {"Config": {"splunk-token": SECRET}}}},
        {"State": {"Running": True, "Health": {"Log": [{"Output": f"Authorization: Bearer {SECRET}"}]}}},
    ],
)
def test_no_secret_of_a_container_is_kept(fields: dict[str, Any]) -> None:
    raw = kept(section("docker-inspect", json.dumps([inspected(**fields)])))
    assert SECRET not in raw.sections[0].text and "[redacted]" in raw.sections[0].text
    assert "drupal" in raw.sections[0].text


def test_what_is_no_json_is_not_kept() -> None:
    raw = kept(section("docker-inspect", '[{"Id": "a", "Config": {"Env": ["A=' + SECRET))
    assert SECRET not in raw.sections[0].text and "not kept" in raw.sections[0].text


def test_a_long_text_keeps_its_beginning_and_end_with_a_mark() -> None:
    body = "first\n" + "middle\n" * 5_000 + "last"
    text = kept(section("oom-log", body)).sections[0].text
    assert len(text) < PIECE + 100 and text.startswith("first") and text.endswith("last") and "\n[cut: " in text


def test_a_host_is_bounded_as_a_whole() -> None:
    body = json.dumps([inspected(f"{number:064x}", Labels={"x": "y" * 6_000}) for number in range(60)])
    raw = kept(section("docker-inspect", body))
    assert len(raw.sections) == 60 and sum(len(one.text) for one in raw.sections) < WHOLE + 60 * 100
    assert "not kept" in raw.sections[-1].text


def test_only_the_latest_of_each_section_and_its_time() -> None:
    keeper = RawKeeper("web1")
    keeper.take([section("proc", "old"), section("df", "disks", rc=1)], NOW)
    keeper.take([section("proc", "new"), section("watch", "1")], NOW + timedelta(seconds=5))
    raw = keeper.text()
    assert [(one.name, one.text, one.rc, one.at) for one in raw.sections] == [
        ("proc", "new", 0, NOW + timedelta(seconds=5)),
        ("df", "disks", 1, NOW),
    ]


def test_titles_are_what_findings_name() -> None:
    names = {one.name: one.title for one in kept(section("status:gv0", ""), section("proc", "")).sections}
    assert names["status:gv0"] == "gluster volume status gv0" and "/proc/meminfo" in names["proc"]


@settings(max_examples=60)
@given(st.text(max_size=400), st.sampled_from(["proc", "docker-inspect", "heal:gv0"]))
def test_whatever_comes_it_is_clean(body: str, name: str) -> None:
    for one in kept(section(name, body)).sections:
        assert not any(ord(character) < 32 and character != "\n" for character in one.text)
        assert "\x9b" not in one.text and "\u202e" not in one.text


def test_numbers_and_halves_of_characters_that_only_python_knows() -> None:
    raw = kept(section("docker-inspect", '[{"Id": "a", "Size": 1e999, "Big": %s, "Half": "\\ud800"}]' % ("9" * 40)))
    assert "9" * 40 in raw.sections[0].text
