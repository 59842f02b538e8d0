"""The probe installed on a host, behind a key that can run nothing else. Pure: texts only, nothing is changed anywhere.

A client sends the same bytes to a shell and to an installed probe: first a line that a shell takes for a comment,

    #itui PROTOCOL MODE MARKER IDLE

then the script, whose last line starts it. The installed probe reads the first line, checks each word, reads past the
script that was sent without running any of it, and starts its own. Its READY names which script it is.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from functools import cache

from incident_tui.hosts import probe
from incident_tui.hosts.sections import PROTOCOL

PATH = "/usr/local/sbin/incident-tui-probe"

_WRAPPER = r"""#!/bin/sh
# incident-tui's probe, installed: all that the key with this forced command can do. It takes no argument and nothing
# from the environment; what it may be asked is listed at its head.
unset ITUI_ROOT ITUI_PATH ENV BASH_ENV CDPATH IFS SSH_ORIGINAL_COMMAND
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
[ $# -eq 0 ] || exit 2
# Whoever sends no line at all does not keep a process here.
(
    trap 'kill -9 $! 2>/dev/null; exit 0' TERM
    sleep 15 &
    wait $!
    kill -9 $$
) </dev/null >/dev/null 2>&1 &
itui_patience=$!
IFS=' ' read -r itui_sign itui_protocol itui_mode itui_marker itui_idle itui_rest || exit 2
[ "$itui_sign $itui_protocol $itui_rest" = "#itui @PROTOCOL@ " ] || {
    kill -TERM $itui_patience
    echo "incident-tui-probe: this key runs nothing but the probe of incident-tui, protocol @PROTOCOL@" >&2
    exit 2
}
case $itui_mode in fast | slow | events | asked) ;; *) exit 2 ;; esac
case $itui_marker in *[!0-9a-f]*) exit 2 ;; ????????????????*) ;; *) exit 2 ;; esac
[ ${#itui_marker} -le 64 ] || exit 2
case $itui_idle in *[!0-9]* | '' | ?????*) exit 2 ;; esac
while IFS= read -r itui_line; do # the script that a plain shell would have run
    [ "$itui_line" != "itui_main $itui_mode $itui_marker $itui_idle; exit" ] || break
done
kill -TERM $itui_patience
"""


@cache
def version() -> str:
    """Which script this is: the beginning of its SHA-256."""
    return hashlib.sha256(probe.script().encode()).hexdigest()[:12]


def program() -> str:
    """The whole file to install."""
    start = f'itui_main "$itui_mode" "$itui_marker" "$itui_idle" {version()}\n'
    return _WRAPPER.replace("@PROTOCOL@", PROTOCOL) + probe.script() + start


def instructions(host: str, user: str, public_key: str, *, sudo: bool) -> str:
    """A text to read, and then to run as root on the host: the file, the key's line, sudoers where `sudo`.

    `public_key` is one line of an OpenSSH public key, or empty: then a place to fill in stands there.
    """
    user = user if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", user) else "USER"
    key = " ".join(public_key.split()[:3]) or "PUBLIC-KEY-OF-THE-BASTION"
    command = f"sudo -n {PATH}" if sudo else PATH
    old = "no-pty,no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc"
    parts = [
        f"# incident-tui's probe on {host}. Read it, then run it there as root. Nothing was changed by printing this.",
        "",
        "# 1. The probe: read-only, about 450 lines of POSIX shell.",
        f"cat >{PATH} <<'INCIDENT_TUI_END'",
        program().rstrip("\n"),
        "INCIDENT_TUI_END",
        f"chown root:root {PATH} && chmod 755 {PATH}",
        "",
        f"# 2. The key: put ONE of these lines into ~{user}/.ssh/authorized_keys, in place of the key's old line.",
        "#    From OpenSSH 7.2:",
        f'# command="{command}",restrict {key}',
        "#    Before it, CentOS 6 and 7 among them:",
        f'# command="{command}",{old} {key}',
        "#    sshd's AcceptEnv must not take BASH_ENV or the like (it does not unless somebody said so).",
    ]
    if sudo:
        rule = f'Defaults:{user} !requiretty\n{user} ALL=(root) NOPASSWD: {PATH} ""\n'
        parts += [
            "",
            f"# 3. sudo for {user}: this command, without arguments, and no other.",
            f"printf %s {shlex.quote(rule)} >/etc/sudoers.d/incident-tui && chmod 440 /etc/sudoers.d/incident-tui",
            "visudo -c -f /etc/sudoers.d/incident-tui",
        ]
    parts += ["", f"# Then, on the bastion: incident-tui check. It says for {host} that the installed probe answers."]
    return "\n".join(parts) + "\n"
