"""What the bundle's start costs beside the installed program's, as whole processes.

    python benchmarks/bundle.py [ROUNDS] [BUNDLE]

Interleaved in one run: `version` and `log TEXT` of the program in this environment and of BUNDLE (built now when not
named), each into a journal of its own. Prints medians in milliseconds, the ratios (goal: 1.5 at most) and what the
first start took, which unpacks. Exit status 1 when it misses.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.start import LINE, fill, spend

LIMIT = 1.5


def main() -> int:
    rounds = max(15, int(sys.argv[1])) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        if len(sys.argv) > 2:
            bundle = Path(sys.argv[2]).absolute()
        else:
            build = Path(__file__).resolve().parents[1] / "bundle" / "build.py"
            subprocess.run([sys.executable, str(build), f"{scratch}/dist"], check=True)
            (bundle,) = Path(scratch, "dist").absolute().iterdir()
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["INCIDENT_TUI_CACHE"] = os.path.abspath(f"{scratch}/cache")
        commands: dict[str, list[str]] = {}
        for name, program in (("installed", Path(sys.executable).with_name("incident-tui")), ("bundle", bundle)):
            place = Path(scratch) / name
            fill(place, 0)
            commands[f"{name} version"] = [str(program), "version"]
            commands[f"{name} log"] = [str(program), "--journal", str(place), "log", LINE]
        first, _ = spend(commands["bundle version"], environment)
        print(f"the bundle's first start, which unpacks: {first:.0f} ms")
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, words in commands.items():
                spent[name].append(spend(words, environment))
    wall = {name: statistics.median(one[0] for one in runs) for name, runs in spent.items()}
    cpu = {name: statistics.median(one[1] for one in runs) for name, runs in spent.items()}
    ok = True
    for name in commands:
        base = name.replace("bundle", "installed")
        ok = ok and wall[name] <= LIMIT * wall[base]
        print(
            f"{name:18} median {wall[name]:6.1f} ms, {wall[name] / wall[base]:.2f} of installed   "
            f"CPU {cpu[name]:6.1f} ms, {cpu[name] / cpu[base]:.2f} of installed"
        )
    print(f"goal <= {LIMIT:g}, {rounds} rounds: {'met' if ok else 'MISSED'}")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
