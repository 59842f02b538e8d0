"""Outputs of several hosts in one text, rows without their headings, and what `df` and `free` say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
PEERS = "Number of Peers: 1\n\nHostname: web9\nUuid: u9\nState: Peer in Cluster ({})\n"
LOST, WELL = PEERS.format("Disconnected"), PEERS.format("Connected")


def said(output: str) -> list[str]:
    return [f"{one.level.value} {one.sentence}" for one in explain(output, NOW).said]


def indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def prefixed(host: str, body: str, form: str = "{}: {}") -> str:
    return "".join(form.format(host, line).rstrip() + "\n" for line in body.splitlines())


WRAPPED = {
    "ansible": f"web1 | CHANGED | rc=0 >>\n{LOST}\nweb2 | CHANGED | rc=0 >>\n{WELL}",
    "ansible 1.9": f"web1 | success | rc=0 >>\n{LOST}\n\nweb2 | success | rc=0 >>\n{WELL}\n",
    "ansible, one line each": "\n".join(
        f"{host} | CHANGED | rc=0 | (stdout) {body.strip()}".replace("\n", "\\n")
        for host, body in (("web1", LOST), ("web2", WELL))
    ),
    "ansible at a prompt": "[root@bastion ~]# ansible gluster -a 'gluster peer status'\n"
    f"web1 | CHANGED | rc=0 >>\n{LOST}web2 | CHANGED | rc=0 >>\n{WELL}",
    "a playbook's debug": 'ok: [web1] => {\n    "told.stdout_lines": [\n'
    + ",\n".join(f'        "{line}"' for line in LOST.splitlines())
    + '\n    ]\n}\nok: [web2] => {\n    "msg": "'
    + WELL.replace("\n", "\\n")
    + '"\n}\n',
    "salt": f"web1:\n{indented(LOST)}web2:\n{indented(WELL)}",
    "salt that failed": f"web1:\n{indented(LOST)}web2:\n{indented(WELL)}ERROR: Minions returned with non-zero exit\n",
    "clush -b": f"---------------\nweb1\n---------------\n{LOST}---------------\nweb2 (1)\n---------------\n{WELL}",
    "clush": prefixed("web1", LOST) + prefixed("web2", WELL),
    "pdsh, mixed": "".join(
        f"web1: {one}\nweb2: {two}\n" for one, two in zip(LOST.splitlines(), WELL.splitlines(), strict=True)
    ),
    "fabric": prefixed("web1", LOST, "[{}] out: {}") + prefixed("web2", WELL, "[{}] out: {}"),
    "pssh": f"[1] 03:00:01 [SUCCESS] web1\n{LOST}[2] 03:00:02 [SUCCESS] web2\n{WELL}",
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("form", WRAPPED)
def test_each_host_is_named_with_what_it_said(form: str, ends: str) -> None:
    assert said(WRAPPED[form].replace("\n", ends)) == [
        "crit web1: peer web9 disconnected, says this output; 1 of 2 peers connected",
        "ok web1: 0 of the 1 peers listed connected",
        "ok web2: 1 of the 1 peers listed connected",
    ]


@pytest.mark.parametrize(
    ("tail", "sentence"),
    [
        (
            'web2 | UNREACHABLE! => {\n    "changed": false,\n    "msg": "Failed to connect: no route",\n'
            '    "unreachable": true\n}\n',
            "unknown web2: unreachable: Failed to connect: no route",
        ),
        ("web2 | FAILED | rc=1 >>\nConnection failed. Please check if gluster daemon is operational.\n",
         "crit web2: glusterd does not run"),
        ("web2 | FAILED | rc=127 >>\n/bin/sh: gluster: command not found\nnon-zero return code\n",
         "unknown web2: GlusterFS is not installed"),
        ("web2 | CHANGED | rc=0 >>\n\n", "unknown web2: changed: nothing was printed"),
        ("web2 | CHANGED | rc=0 >>\na b c\n", "unknown web2: not recognised; it takes what docker ps"),
    ],
)  # fmt: skip
def test_a_host_that_said_nothing_of_use_is_named_and_not_well(tail: str, sentence: str) -> None:
    found = said(f"web1 | CHANGED | rc=0 >>\n{WELL}{tail}")
    assert any(one.startswith(sentence) for one in found), found
    assert explain(f"web1 | CHANGED | rc=0 >>\n{WELL}{tail}", NOW).level is not Level.OK


def test_a_minion_that_did_not_return_is_not_well() -> None:
    found = said(f"web1:\n{indented(WELL)}web2:\n    Minion did not return. [No response]\n")
    assert found == [
        "unknown web2: Minion did not return. [No response]",
        "ok web1: 1 of the 1 peers listed connected",
    ]


ROWS = {
    "containers that grep left": (
        '1af61235f8c9   nginx:1.9   "nginx -g \'d"   2 weeks ago   Up 2 weeks (unhealthy)   80/tcp, 443/tcp   web\n'
        '2bf61235f8c9   mysql:5   "mysqld"   2 weeks ago   Exited (137) 1 minute ago      db\n',
        ["crit web: its health check fails", "warn db: exited 137 (killed)", "ok 1 of 2 containers running"],
    ),
    "one with its size": (
        '1af61235f8c9   nginx:1.9   "nginx"   2 weeks ago   Up 2 weeks   web   2B (virtual 190MB)\n',
        ["ok 1 of 1 containers running"],
    ),
    "columns of choice": (
        "NAMES     STATUS\nweb       Up 2 hours\ndb        Exited (137) 3 minutes ago\n",
        ["warn db: exited 137 (killed)", "ok 1 of 2 containers running"],
    ),
    "docker compose ps": (
        "NAME    IMAGE   COMMAND   SERVICE   CREATED       STATUS                   PORTS\n"
        'web-1   nginx   "nginx"   web       2 hours ago   Up 2 hours (unhealthy)   0.0.0.0:80->80/tcp\n',
        ["crit web-1: its health check fails", "ok 1 of 1 containers running"],
    ),
    "bricks that grep left": (
        "Brick web1:/b/gv0      49152     0          Y       1234\n"
        "Brick web2:/b/gv0      N/A       N/A    N       N/A\n",
        [
            "crit a volume: web2:/b/gv0 is not online",
            "unknown it ends without a volume's tasks: is it whole?",
            "ok a volume: 1 of the 2 bricks listed online; bricks of a lost peer are not listed",
        ],
    ),
    "a pool without its heading": (
        "f0e7b138-4874-4bc0-ab91-54f20c7068b4\tweb2\tDisconnected\n9e7b1384-4874-4bc0-ab91-54f20c7068b4\tlocalhost\tConnected\n",
        [
            "crit peer web2 disconnected, says this output; 1 of 2 peers connected",
            "ok 1 of the 2 peers listed connected",
        ],
    ),
    "peers without their count": (
        LOST.partition("\n\n")[2],
        [
            "crit peer web9 disconnected, says this output; 1 of 2 peers connected",
            "ok 0 of the 1 peers listed connected",
        ],
    ),
    "counts of entries": (
        "Number of entries: 0\nNumber of entries: 3\nNumber of entries: -\n",
        [
            "warn 3 entries to heal on the brick with the most",
            "unknown of brick 3 the entries could not be counted",
            "unknown whether any of them is in split-brain does not stand here",
        ],
    ),
    "free of CentOS 6": (
        "             total       used       free     shared    buffers     cached\n"
        "Mem:          1869       1850         19          0         20         40\n"
        "-/+ buffers/cache:       1790         79\nSwap:         1023       1000         23\n",
        ["crit memory 96% used", "warn swap 98% used"],
    ),
    "free of today": (
        "               total        used        free      shared  buff/cache   available\n"
        "Mem:           1.8Gi       1.5Gi       100Mi        10Mi       200Mi       190Mi\n"
        "Swap:             0B      0B      0B\n",
        ["warn memory 90% used"],
    ),
    "df with a long device": (
        "Filesystem            Size  Used Avail Use% Mounted on\n/dev/mapper/VolGroup-lv_root\n"
        "                       50G   46G  1.9G  97% /\ntmpfs                 1.9G     0  1.9G   0% /dev/shm\n",
        ["crit /: 97% used"],
    ),
    "df of inodes, with types": (
        "Filesystem     Type   Inodes   IUsed   IFree IUse% Mounted on\n"
        "/dev/sda1   ext4  1000000  850000  150000   85% /my files\n",
        ["warn /my files: inodes 85% used"],
    ),
    "df of images that are always full": (
        "Filesystem     1K-blocks  Used Available Use% Mounted on\n"
        "/dev/loop0    65536 65536         0 100% /snap/core/1\n"
        "/dev/sda1         100000 10000     90000  10% /\n",
        ["ok 2 file systems, none nearly full"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", ROWS)
def test_rows_without_headings_and_tables_of_other_tools(form: str) -> None:
    output, expected = ROWS[form]
    assert said(output) == expected
    assert said(output.rstrip("\n").replace("\n", "\r\n")) == expected


@pytest.mark.parametrize(
    "output",
    [
        "web1: up\nweb2: up\n",
        "Type: x\nName: y\n",
        "web1:\n    hello\n",
        "web1 | CHANGED | rc=0 >>\nhello\n",
        "             total       used       free     shared    buffers     cached\nMem:   1869     1850      19\n",
        "Filesystem            Size  Used Avail Use% Mounted on\n/dev/mapper/VolGroup-lv_root\n",
        "",
        '1af61235f8c9   nginx:1.9   "nginx"   2 days ago   Up   hours (unhealthy)   80/tcp   web\n',
        "Number of Peers: 1\n\nHostname: a\nUuid: u\nHostname: b\nUuid: v\nState: Peer in Cluster (Connected)\n",
    ],
)
def test_what_is_not_known_is_refused_with_a_sentence(output: str) -> None:
    with pytest.raises(Unreadable) as problem:
        explain(output, NOW)
    assert "\n" not in problem.value.sentence and len(problem.value.sentence) < 300


FIXTURES = sorted(path for path in Path(__file__).with_name("fixtures").rglob("*.*") if path.suffix in (".txt", ".xml"))
SAME: dict[str, Callable[[str], str]] = {
    "carriage returns": lambda body: body.replace("\n", "\r\n"),
    "no newline at the end": lambda body: body.rstrip("\n"),
    "empty lines around": lambda body: f"\n\n{body}\n\n",
    "indented": indented,
    "a web page's blanks": lambda body: body.replace(" ", "\xa0"),
    "a mark of byte order": lambda body: f"\ufeff{body}",
    "quoted in a mail": lambda body: "".join(f"> {line}\n" for line in body.splitlines()),
}
NAMED: dict[str, Callable[[str], str]] = {
    "ansible": lambda body: f"web1 | CHANGED | rc=0 >>\n{body}",
    "salt": lambda body: f"web1:\n{indented(body)}",
    "clush": lambda body: prefixed("web1", body),
    "clush -b": lambda body: f"---------------\nweb1\n---------------\n{body}",
    "pssh": lambda body: f"[1] 03:00:01 [SUCCESS] web1\n{body}",
}


def told(output: str) -> list[str] | str:
    try:
        return said(output)
    except Unreadable as problem:
        return problem.sentence


@pytest.mark.parametrize("name", [path.name for path in FIXTURES])
def test_real_outputs_say_the_same_in_any_wrapping(name: str) -> None:
    """Of our lab and of other versions: what a terminal, a mail or a tool put around it changes nothing."""
    body = next(path for path in FIXTURES if path.name == name).read_text(encoding="utf-8")
    plain = told(body)
    for form, wrapped in SAME.items():
        assert told(wrapped(body)) == plain, form
    if isinstance(plain, str) or len(body.splitlines()) < 2:
        return
    for form, wrapped in NAMED.items():
        assert told(wrapped(body)) == [one.replace(" ", " web1: ", 1) for one in plain], form
