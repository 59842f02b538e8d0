"""Settings of the report. Read by config.py; frozen."""

from __future__ import annotations

import os

import msgspec


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[report]`: the report's template, what is taken out of it, which rules it is checked by."""

    template: str = "page"
    """`export` without --template: the name of a template, or a file."""
    directory: str = ""
    """The team's own templates, NAME.md.j2; one of the same name takes the place of one that comes with the program."""
    redact: tuple[str, ...] = ()
    """Regular expressions; what they find is replaced in every report, as secrets are."""
    private_addresses: bool = False
    """Private network addresses, too; as `export --redact` does once."""
    skip: tuple[str, ...] = ()
    """Rules of `report check` that are not asked: `report check --rules` lists them."""


def absolute(report: Report, base: object) -> Report:
    """With its paths made absolute: a relative one starts in `base`, where config.toml is."""

    def full(value: str) -> str:
        return os.path.join(str(base), os.path.expanduser(value))

    return msgspec.structs.replace(
        report,
        directory=full(report.directory) if report.directory else "",
        template=full(report.template) if "/" in report.template else report.template,
    )
