"""One look at a host or a container as the text of one evidence entry."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_tui.desk.investigation import head, investigation
from incident_tui.hosts.raw import RawSection
from incident_tui.hosts.readings import Container, ContainerMemory, HostReading, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.text import TEXT_LIMIT
from incident_tui.watch.answers import PERFORMANCE, answer

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
READING = HostReading(host="web1", at=NOW, link=Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))
LONG = "\n".join(f"line {n} of many" for n in range(100_000))
STATS = """\
CONTAINER ID   NAME       CPU %   MEM USAGE / LIMIT
aaaaaaaaaaaa   drupal-a   95.00%  500MiB / 512MiB
bbbbbbbbbbbb   solr       1.00%   300MiB / 2GiB"""


def read(*sections: Section) -> tuple[RawSection, ...]:
    return answer("web1", PERFORMANCE, sections, READING, NOW).sections


def test_it_fits_one_entry_says_what_it_left_out_and_keeps_no_secret() -> None:
    sections = (
        Section(name="asked:top", body=LONG, rc=0),
        Section(name="asked:memory", body="1 root mysqld --password=hunter2hunter2", rc=0),
        Section(name="asked:vmstat", body="", rc=127),
        Section(name="asked:dmesg", body="half", rc=137, seconds=5.0, limit=5.0),
        Section(name="clock", body="1", rc=0),
    )
    text = investigation("web1", read(*sections), NOW)
    assert text.startswith("performance of web1 at 2026-11-24 03:10:00Z\n== top\nline 0 of many\n")
    assert "characters]" in text and "line 99999 of many" in text
    assert "hunter2" not in text and "(1 redacted)" in text
    assert "== vmstat\nnot available (status 127)" in text
    assert "half\nno answer within its limit" in text
    assert "== clock" not in text


def test_however_much_there_is_it_stays_one_entry() -> None:
    sections = [RawSection(name=f"one{n}", at=NOW, text=LONG[:20_000]) for n in range(9)]
    text = investigation("web1", sections, NOW)
    assert TEXT_LIMIT * 0.9 < len(text) <= TEXT_LIMIT
    assert text.count("more lines left out") == 9


def test_of_a_container_its_own_numbers_come_first_and_its_own_line_of_the_statistics() -> None:
    memory = ContainerMemory(at=NOW, usage=600 << 20, working_set=500 << 20, limit=512 << 20, oom_kills=2)
    one = Container(
        id="a" * 64,
        name="drupal-a",
        image="drupal:7",
        state="running",
        cpu_percent=95.0,
        memory=memory,
        restart_count=3,
    )
    sections = read(Section(name="asked:stats", body=STATS, rc=0))
    text = investigation("web1", sections, NOW, one)
    assert text.startswith(head("web1", "drupal-a", NOW) + "\n== container\naaaaaaaaaaaa drupal:7 running\n")
    assert "processor 95.0% of one" in text and "limit 512 MiB" in text and "2 killed for memory" in text
    assert "95.00%" in text and "solr" not in text
    other = Container(id="c" * 64, name="redis", state="exited")
    assert "solr" in investigation("web1", sections, NOW, other)
