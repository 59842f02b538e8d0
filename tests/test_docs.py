"""The README says what the code does: its tables of keys, verbs, commands, settings and fields are made from the code.

`UPDATE_DOCS=1 python -m pytest tests/test_docs.py` writes them anew.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.cli import searching, show
from incident_tui.cli.commands import COMMANDS as SUBCOMMANDS
from incident_tui.cli.commands import GLOBAL
from incident_tui.cli.machines import Row
from incident_tui.cli.people import Contact
from incident_tui.cli.replica import fields as replica_fields
from incident_tui.cli.status import as_fields
from incident_tui.cli.syncing import Result
from incident_tui.config import Settings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import (
    Brick,
    Container,
    Disks,
    Docker,
    Filesystem,
    Gap,
    GapKind,
    Gluster,
    HostReading,
    Link,
    LinkState,
    Peer,
    Volume,
)
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.prefixes import PREFIXES
from incident_tui.incident.roster import OnCall, Shift
from incident_tui.incident.state import Fold
from incident_tui.incident.verbs import VERBS
from incident_tui.journal import archive, retention_file
from incident_tui.journal.sign_verify import NOTHING
from incident_tui.journal.store import Store
from incident_tui.replica.sync_settings import Sync
from incident_tui.report.as_json import FIELDS
from incident_tui.report.follow_ups import HEAD
from incident_tui.report.rules import RULES
from incident_tui.report.stats import Number, Point, Stats
from incident_tui.report.template import SHIPPED
from incident_tui.ui.commands import COMMANDS as KEYS
from incident_tui.ui.view import Readings, machines
from incident_tui.watch.alerts.rows import AlertsRow, FiringGroup, SourceRow
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.rows import ChatRow
from incident_tui.watch.settings import Site

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def cell(value: str) -> str:
        return value.replace("|", "\\|")

    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows])


def keys() -> str:
    return table(
        ("key", "what it does", "as a verb"),
        [(key.label, key.help, f"`/{key.verb}`" if key.verb else "") for key in KEYS],
    )


def verbs() -> str:
    prefixes = table(("form", "meaning"), [(f"`{form}`", meaning) for form, _, meaning in PREFIXES])
    forms = table(
        ("verb", "what it does", "example"), [(f"`{v.form}`", v.help, f"`{v.example}`") for v in VERBS.values()]
    )
    return f"{prefixes}\n\n{forms}"


def commands() -> str:
    rows = []
    for command in SUBCOMMANDS:
        options = " ".join(
            f"[--{option.name}{' ' + option.value if option.value else ''}]" for option in command.options
        )
        rows.append((f"`{' '.join(part for part in (command.name, command.form, options) if part)}`", command.help))
    return table(("command", "what it does"), rows)


def settings() -> str:
    """Key, default and the example's own comment."""
    comments = {}
    section = ""
    for line in (ROOT / "config.toml").read_text().splitlines():
        header = re.match(r"\[+([\w.]+)\]+", line)
        if header:
            section = header.group(1)
        key = re.match(r"(\w+) = (?:\"[^\"]*\"|[^#]*?)\s*(?:#\s*(.*))?$", line)
        if key and (section, key.group(1)) not in comments:
            comments[section, key.group(1)] = (key.group(2) or "").strip()
    return table(("setting", "default", ""), setting_rows(Settings, "", comments))


def setting_rows(kind: Any, place: str, comments: dict[tuple[str, str], str]) -> list[tuple[str, str, str]]:
    """The settings of a table, and after them those of the tables inside it."""
    rows, inner = [], []
    for field in msgspec.structs.fields(kind):
        many = bool(getattr(field.type, "__args__", None))
        struct = field.type.__args__[0] if many else field.type
        if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
            inner += setting_rows(struct, table_name(place, field.name, many), comments)
            continue
        default = "needed" if field.required else f"`{toml(default_of(field))}`"
        rows.append((f"`{place} {field.name}`", default, comments.get((place.strip("[]"), field.name), "")))
    return rows + inner


def table_name(place: str, name: str, many: bool) -> str:
    full = ".".join(part for part in (place.strip("[]"), name) if part)
    return f"[[{full}]]" if many else f"[{full}]"


def default_of(field: Any) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def toml(value: object) -> str:
    return msgspec.json.encode(list(value) if isinstance(value, tuple) else value).decode()


def status() -> str:
    """The fields of a board that has one of everything."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    link = Link(state=LinkState.UP, sentence="", since=now, at=now)
    brick = Brick(host="web1", path="/b/gv0")
    volume = Volume(name="gv0", status="started", bricks=(brick,))
    host = HostReading(
        host="web1",
        at=now,
        link=link,
        docker=Docker(at=now, version="1.6.2", containers=(Container(id="1", name="a", state="running"),)),
        disks=Disks(at=now, filesystems=(Filesystem(mount="/", device="sda", size=1, free=1, used_percent=1),)),
        gluster=Gluster(
            at=now,
            uuid="u1",
            glusterd_alive=True,
            peers=(Peer(uuid="u2", hostname="b", connected=True),),
            volumes=(volume,),
        ),
        gaps={"memory": Gap(at=now, kind=GapKind.FAILED, sentence="garbled")},
    )
    room, peer = Room(name="r", kind="matrix", channels=("!r",)), Sync(name="bastion-2")
    example = msgspec.structs.replace(
        Settings(), hosts=(Host(name="web1"),), sites=(Site(name="s", url="http://s/"),), rooms=(room,), sync=(peer,)
    )
    group = FiringGroup(source="am", group="g", level="crit", title="t", since=now, heard_at=now)
    alerts = AlertsRow(at=now, groups=(group,), sources=(SourceRow(name="am"),))
    readings = Readings({"web1": host}, {}, {"ops": ChatRow(name="ops", at=now)}, alerts=alerts)
    fields = as_fields(machines(readings, example, now, {}), example, now, None) | {"demo": False}
    return table(("field", "of each"), [(f"`{name}`", inner(value)) for name, value in fields.items()])


def inner(value: object) -> str:
    one = value[0] if isinstance(value, list) and value else value
    if not isinstance(one, dict):
        return ""
    parts = []
    for key, item in one.items():
        deeper = inner(item) if isinstance(item, list) else ""
        parts.append(f"`{key}`" + (f" ({deeper})" if deeper else ""))
    return ", ".join(parts)


def json_fields() -> str:
    """The fields of list, show, verify, check, probe and export, from a journal with one entry."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    declared = Draft(Kind.DECLARE, "t", now, Author("ana"), incident="INC-1", data={"title": "t", "severity": 1})
    with tempfile.TemporaryDirectory() as directory, Store.open(directory, clock=lambda: now) as store:
        fold = Fold()
        for entry in store.append([declared], key="k"):
            fold.apply(entry)
        incident = fold.incident("INC-1")
        shown = show.summary(incident) | {"timeline": [show.row_fields(incident.rows[0], store) | {"second_to": None}]}
        rows = [
            ("list", inner([show.summary(incident)])),
            ("show", inner(shown)),
            ("search", inner([searching.row_fields(incident.rows[0], store)])),
            ("verify", inner(show.verdict_fields(store.verify()) | NOTHING.fields() | {"copies": []})),
            ("replica status", inner(replica_fields(store, [], []))),
        ]
    rows.append(("check", ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Row))))
    synced = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Result))
    rows.append(("sync", f"`bastions` ({synced})"))
    rows.append(("contacts", ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Contact))))
    of = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Shift))
    what = {"now": f"`now` ({of}) or null", "next": "`next` as `now`"}
    rows.append(("oncall", ", ".join(what.get(f.name, f"`{f.name}`") for f in msgspec.structs.fields(OnCall))))
    rows.append(("probe", "the fields of `incident_tui.hosts.readings.HostReading`, documented there"))
    rows.append(("follow-ups", ", ".join(f"`{name}`" for name in HEAD)))
    point = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Point))
    number = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Number))
    number = number.replace("`points`", f"`points` ({point})")
    numbers = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(Stats))
    rows.append(("stats", numbers.replace("`numbers`", f"`numbers` ({number})")))
    for name, meanings in (
        ("export --format json", FIELDS),
        ("export --all --format json", archive.FIELDS),
        ("archive FILE", retention_file.FIELDS),
    ):
        rows.append((name, "; ".join(f"`{field}` {meaning}" for field, meaning in meanings.items())))
    return table(
        ("command", "its fields"),
        [
            (f"`{name} --json`".replace("json --json", "json").replace("FILE --json", "FILE"), said)
            for name, said in rows
        ],
    )


def templates() -> str:
    return table(("template", "what it is"), [(f"`{name}`", what) for name, what in SHIPPED.items()])


def rules() -> str:
    return table(("rule", "found is", "source"), [(f"`{name}`", one.what, one.source) for name, one in RULES.items()])


def contents() -> str:
    """The sections, in their order; the headings of examples in fenced blocks are none."""
    text = re.sub(r"^```.*?^```", "", README.read_text(), flags=re.M | re.S)
    links = [
        f"[{title}](#{re.sub(r'[^a-z0-9 -]', '', title.lower()).replace(' ', '-')})"
        for title in re.findall(r"^## (.+)$", text, re.M)
    ]
    return " · ".join(links)


PARTS: dict[str, Callable[[], str]] = {
    "contents": contents,
    "keys": keys,
    "verbs": verbs,
    "commands": commands,
    "settings": settings,
    "status": status,
    "json": json_fields,
    "templates": templates,
    "rules": rules,
}


@pytest.mark.parametrize("part", PARTS)
def test_the_readme_is_what_the_code_says(part: str) -> None:
    text = README.read_text()
    begin, end = f"<!-- begin {part} -->\n", f"<!-- end {part} -->"
    made = PARTS[part]() + "\n"
    old = text[text.index(begin) + len(begin) : text.index(end)]
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(text.replace(begin + old + end, begin + made + end))
        return
    assert old == made, f"README's {part} are out of date: UPDATE_DOCS=1 python -m pytest tests/test_docs.py"


def test_every_setting_has_a_word_of_explanation() -> None:
    silent = [row for row in settings().splitlines()[2:] if row.endswith("|  |")]
    assert not silent, silent


def test_the_readme_names_the_global_options_and_the_search_order() -> None:
    text = README.read_text()
    for option in GLOBAL:
        assert f"--{option.name}" in text or option.name == "help"
    for place in ("$INCIDENT_TUI_CONFIG", "./config.toml", "/etc/incident-tui/"):
        assert place in text


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    for path in [*ROOT.glob("*.md"), *ROOT.glob("incident_tui/**/*.py"), ROOT / "config.toml"]:
        assert str(ROOT) + "/" not in path.read_text(encoding="utf-8"), path


def test_each_test_of_the_version_matrix_is_there() -> None:
    matrix = README.read_text(encoding="utf-8").partition("## Versions\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", matrix))
    there = {
        name
        for file in (README.parent / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.M)
    }
    assert len(named) > 15
    assert named <= there, named - there
