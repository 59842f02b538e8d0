"""The command `playbook`: the list, one of them, and the check with its exit status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Program = Any


def test_the_shipped_playbooks_are_listed_printed_and_without_mistakes(program: Program) -> None:
    listed = program("playbook").stdout.splitlines()
    assert any(line.split()[0] == "gluster-brick-down" and "a brick is down" in line for line in listed)
    assert program("playbook", "clock-skew").stdout.startswith('+++\ntitle = "A host\'s clock is wrong"\n')
    assert program("playbook", "check").stdout == f"{len(listed)} playbooks: nothing is wrong\n"


def test_each_mistake_is_a_line_with_its_place(program: Program, tmp_path: Path) -> None:
    good = tmp_path / "good.md"
    good.write_text(program("playbook", "clock-skew").stdout)
    assert program("playbook", "check", str(good)).stdout == "1 playbook: nothing is wrong\n"
    bad = tmp_path / "bad.md"
    bad.write_text(good.read_text().replace("host.clock-skew", "host.clock").replace("## Sources", "## Links"))
    done = program("playbook", "check", str(good), str(bad), check=1)
    last = max(number for number, line in enumerate(bad.read_text().splitlines(), start=1) if line.startswith("- [ ]"))
    assert [line.split(": ", 1)[0] for line in done.stdout.splitlines()] == [f"{bad}:4", f"{bad}:{last}"]
    assert "no finding has the id 'host.clock'" in done.stdout and "## Sources is missing" in done.stdout
    broken = tmp_path / "broken.md"
    broken.write_text("not a playbook")
    assert program("playbook", "check", str(broken), check=1).stdout.startswith(f"{broken}:1: the first line must be")


def test_what_cannot_be_read_is_a_sentence_and_a_status_of_2(program: Program, tmp_path: Path) -> None:
    raw = tmp_path / "raw.md"
    raw.write_bytes(b"+++\n\xff\xfe\x00\n+++\n")
    for path, word in ((raw, "is not UTF-8 text"), (tmp_path / "none.md", "No such file"), (tmp_path, "directory")):
        done = program("playbook", "check", str(path), check=2)
        assert done.stdout == "" and word in done.stderr and len(done.stderr.splitlines()) == 1
    assert "does not take" in program("playbook", "clock-skew", "site-down", check=2).stderr


def test_a_team_has_its_own_beside_those_that_come_with_the_program(program: Program, tmp_path: Path) -> None:
    own = tmp_path / "books"
    own.mkdir()
    (own / "README.md").write_text("How we write them.")
    shipped = program("playbook", "clock-skew").stdout
    (own / "site-down.md").write_text(shipped.replace("A host's clock is wrong", "Ours"))
    (own / "our-mail.md").write_text(shipped.replace("A host's clock is wrong", "Mail stands"))
    (own / "disk-full.md").write_text('+++\ntitle = "x"\n')
    config = tmp_path / "config.toml"
    config.write_text('[playbooks]\ndirectory = "books"\n')
    where = ("--config", str(config), "--journal", str(tmp_path / "journal"))
    done = program("playbook", *where, check=1)
    listed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (listed["our-mail"], listed["site-down"], "clock-skew" in listed) == ("Mail stands", "Ours", True)
    assert "disk-full" not in listed, "ours cannot be used, and that of the program is not what the team wants"
    assert (
        done.stderr
        == f"incident-tui: {own}/disk-full.md:1: the front matter is not closed; add a line with +++ after it.\n"
    )
    assert 'title = "Ours"' in program("playbook", "site-down", *where, check=1).stdout
    program("declare", "mail", *where)
    program("log", "/play our-mail", *where)
    assert "Mail stands" in program("show", *where).stdout


def test_a_directory_of_playbooks_that_is_not_there_is_said_and_the_others_go_on(
    program: Program, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[playbooks]\ndirectory = "none"\n')
    done = program("playbook", "--config", str(config), check=1)
    assert f"{tmp_path}/none: cannot be read (No such file or directory)" in done.stderr
    assert "clock-skew" in done.stdout
    assert "playbooks.directory" in program("check", "--config", str(config), check=None).stdout
