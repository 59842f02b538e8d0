"""What Nagios and Icinga tell a notification command -> our generic form. Pure.

Sources: Nagios Core's standard macros in the environment (NAGIOS_*), and Icinga 2's mail-host-notification and
mail-service-notification, whose options are taken as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from incident_tui.watch.alerts.alert import FormError

_STATUS: Final = {
    "PROBLEM": "firing",
    "RECOVERY": "resolved",
    "ACKNOWLEDGEMENT": "acknowledged",
}
_SEVERITY: Final = {"CRITICAL": "critical", "DOWN": "critical", "UNREACHABLE": "critical", "WARNING": "warning"}
_ICINGA: Final = {
    "-d": "date",
    "-l": "host",
    "-n": "host_name",
    "-o": "output",
    "-s": "state",
    "-t": "type",
    "-e": "service",
    "-u": "service_name",
    "-c": "comment",
    "-b": "by",
    "-i": "link",
    "-r": "",
    "-f": "",
    "-4": "",
    "-6": "",
    "-v": "",
}


def nagios(environ: Mapping[str, str]) -> dict[str, Any]:
    """The fields of one notification. Raises FormError when the variables are not there.

    The id of a problem is 0 once it has recovered: then the last one's names it.
    """

    def told(name: str) -> str:
        return environ.get(f"NAGIOS_{name}", "").strip()

    kind, host, service = told("NOTIFICATIONTYPE"), told("HOSTNAME"), told("SERVICEDESC")
    if not kind or not host:
        raise FormError("NAGIOS_NOTIFICATIONTYPE and NAGIOS_HOSTNAME are not set; set enable_environment_macros=1")
    about = "SERVICE" if service else "HOST"
    problem = told(f"{about}PROBLEMID")
    if problem in ("", "0"):
        problem = told(f"LAST{about}PROBLEMID")
    comment = told("NOTIFICATIONCOMMENT")
    fields = _fields(kind, host, service, told(f"{about}STATE"), told(f"{about}OUTPUT"), comment)
    # Acknowledgements and downtimes of one problem come more than once, each with a number of its own.
    number = told(f"{about}NOTIFICATIONID")
    # From WARNING to CRITICAL the problem keeps its id.
    ended = {"resolved": "", "firing": told(f"{about}STATE")}.get(fields["status"], number)
    episode = f"{problem} {ended}".strip()
    return fields | {"episode": "" if episode == "0" else episode}


def icinga(arguments: Sequence[str]) -> dict[str, Any]:
    """The fields of one notification, from the options of Icinga's own notification scripts. Raises FormError."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        if option not in _ICINGA:
            raise FormError(f"{option[:40]!r} is no option of Icinga's notification scripts")
        if not rest:
            raise FormError(f"{option} needs a value")
        found[_ICINGA[option]] = rest.pop(0)
    host = found.get("host") or found.get("host_name", "")
    if not host or not found.get("type"):
        raise FormError("-l HOST and -t TYPE are needed, as Icinga's own notification scripts take them")
    service = found.get("service") or found.get("service_name", "")
    fields = _fields(
        found["type"], host, service, found.get("state", ""), found.get("output", ""), found.get("comment", "")
    )
    return fields | {"link": found.get("link", "")}


def _fields(kind: str, host: str, service: str, state: str, output: str, comment: str) -> dict[str, Any]:
    kind = kind.upper()
    status = _STATUS.get(kind, "note")
    about = f"{service} on {host}" if service else host
    text = output if status in ("firing", "resolved") else f"{kind.lower()}: {comment or output}"
    return {
        "key": f"{host}!{service}" if service else host,
        "status": status,
        "title": f"{about} {state}".strip(),
        "text": text,
        "severity": _SEVERITY.get(state.upper(), "unknown" if state.upper() == "UNKNOWN" else ""),
        "labels": {"host": host, **({"service": service} if service else {}), "state": state, "type": kind},
        "group": host,
    }
