"""The command `playbook`: list, print, check. It imports neither the screen nor asyncio."""

from __future__ import annotations

import sys
from pathlib import Path

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError

_CHECK = "check"


def playbook(context: Context) -> int:
    from incident_tui.desk.open import playbook_files

    words = context.call.words
    if words[:1] == [_CHECK]:
        found = playbook_files(*context.playbook_directories)
        return _check([Path(word) for word in words[1:]] or [path for path, _ in found])
    if len(words) > 1:
        raise UsageError(f"playbook does not take {words[1]!r}: incident-tui playbook [NAME], or playbook check FILE")
    books, broken = context.playbooks()
    for sentence in broken:
        print(f"incident-tui: {sentence}", file=sys.stderr)
    if not words:
        for name, book in books.items():
            print(f"{name:<28} {book.title}")
    elif words[0] in books:
        print(Path(books[words[0]].path).read_text(encoding="utf-8"), end="")
    else:
        raise Failure(f"there is no playbook {words[0]!r}; there are {', '.join(books) or 'none'}", 2)
    return 1 if broken else 0


def _check(paths: list[Path]) -> int:
    """Prints what is wrong, by file and line. 0: nothing; 1: something; 2: a file cannot be read."""
    from incident_tui.hosts.judge import RULES
    from incident_tui.incident.playbook_lint import lint
    from incident_tui.replica.rows import REPLICA_RULES
    from incident_tui.watch.alerts.rows import ALERT_RULES
    from incident_tui.watch.rooms.rows import ROOM_RULES
    from incident_tui.watch.rows import SITE_RULES

    worst = 0
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            print(f"incident-tui: {path}: cannot be read ({error.strerror}).", file=sys.stderr)
            worst = 2
            continue
        except UnicodeDecodeError as error:
            print(f"incident-tui: {path}: is not UTF-8 text ({error.reason} at byte {error.start}).", file=sys.stderr)
            worst = 2
            continue
        found = lint(text, str(path), {*RULES, *SITE_RULES, *ALERT_RULES, *ROOM_RULES, *REPLICA_RULES})
        for one in found:
            print(one.sentence)
        worst = max(worst, 1 if found else 0)
    if worst == 0:
        print(f"{len(paths)} playbook{'' if len(paths) == 1 else 's'}: nothing is wrong")
    return worst
