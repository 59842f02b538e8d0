"""The part of the one table that is about other bastions."""

from __future__ import annotations

from typing import Final

from incident_tui.cli.command import JSON, Command, Option

BASTIONS: Final = (
    Command(
        "sync",
        "exchange entries with the journal on another bastion over SSH, both ways; of each [[sync]] without HOST",
        "syncing:sync",
        "[HOST]",
        (
            Option("port", "of its sshd", "PORT"),
            Option("command", "the program there, where its login does not find incident-tui", "WORDS"),
            Option("there", "the directory of the journal there", "DIR"),
            Option("recover", "this journal was restored from an older copy: bring back what HOST still has of it"),
            Option("serve", "what is run on the other bastion: exchange on standard input and output"),
            JSON,
        ),
        "HOST is the name of a [[sync]] or of a host, an alias of ~/.ssh/config, or user@host[:port]. Cut in the "
        "middle, the next sync goes on from there. Exit status 1 when something is wrong or still missing.",
    ),
    Command(
        "replica",
        "which journals are here and how far, and the ways to other bastions; `forget` drops a copy, "
        "`server-config` prints what NATS servers need",
        "replica:replica",
        "[status|forget|server-config] [JOURNAL]",
        (JSON, Option("yes", "forget without asking")),
        "JOURNAL is a letter, or digits of the journal's id. Exit status 1 when anything is behind, refused, or cannot "
        "be reached.",
    ),
)
