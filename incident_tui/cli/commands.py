"""The one table of commands and options: the parser, `--help`, the completions and the README's test read it."""

from __future__ import annotations

from typing import Final

from incident_tui.cli.command import JSON, Command, Option
from incident_tui.cli.commands_bastions import BASTIONS

GLOBAL: Final = (
    Option("config", "read this configuration", "FILE", completes="file"),
    Option("journal", "use the journal in this directory", "DIR", completes="directory"),
    Option("as", "act under this name", "NAME"),
    Option("help", "say what this does and stop", short="h"),
)
"""Accepted before or after each command."""

ARCHIVE: Final = Option("archive", "of this archive file, not of the journal", "FILE", completes="file")

LINEAR: Final = Option("linear", "lines instead of a screen, for screen readers")

COMMANDS: Final = (
    Command("screen", "the screen (the default)", "screen:screen", options=(LINEAR,)),
    Command(
        "demo",
        "the screen on four embedded machines that play an outage; needs no configuration",
        "screen:demo",
        options=(
            Option("scenario", "which outage", "NAME", completes="outage healthy"),
            Option("speed", "how fast it plays; 1 is real time", "FACTOR"),
            Option("headless", "no screen: play, record and print the report after SECONDS", "SECONDS"),
            LINEAR,
        ),
    ),
    Command(
        "declare",
        "declare an incident; whoever declares becomes its commander",
        "record:declare",
        "TITLE...",
        (
            Option("severity", "1 is worst", "N", short="s"),
            Option("drill", "an exercise: marked DRILL everywhere"),
        ),
    ),
    Command(
        "log",
        "record one line, in the grammar of the prompt; - reads lines from standard input",
        "record:log",
        "TEXT...",
        (Option("incident", "record into this incident, not the current one", "INCIDENT", short="i"),),
        "Prints the handle of each entry after it is safely stored. `log -- -text` for a text that starts with a dash.",
    ),
    Command("list", "the incidents of this journal", "show:list_incidents", options=(JSON,)),
    Command("show", "one incident and its timeline", "show:show", "[INCIDENT]", (JSON, ARCHIVE)),
    Command(
        "search",
        "entries of all incidents whose words begin so, as they stand now; newest first",
        "searching:find",
        "[WORDS...]",
        (
            Option("kind", "a kind, a word of the timeline, a level, people or machine; several with commas", "KIND"),
            Option("by", "written by", "NAME"),
            Option("host", "about this host, or naming it", "HOST"),
            Option("since", "what happened from then on: 14:05, -24h, 2026-11-23", "TIME"),
            Option("until", "what happened until then", "TIME"),
            Option("incident", "of this incident", "INCIDENT", short="i"),
            Option("struck", "struck entries, too"),
            Option("limit", "at most so many; 200 when not said", "N"),
            JSON,
        ),
        "Exit status 1 when nothing was found.",
    ),
    Command(
        "status",
        "every host, site, container, peer, volume, brick and finding, each with its age",
        "status:status",
        options=(JSON,),
        more="Exit status 1 when anything is wrong or not known.",
    ),
    Command(
        "export",
        "the post-incident report",
        "export:export",
        "[INCIDENT...]",
        (
            Option("full", "all sections, not one page"),
            Option(
                "template",
                "page, full, sre, pagerduty, summary, public, performance, one of the team's, or a file",
                "NAME",
                completes="page full sre pagerduty summary public performance",
            ),
            Option("redact", "take out private network addresses, too; secrets are always taken out of Markdown"),
            Option("preview", "print what would be taken out, and where; holds the secrets"),
            Option(
                "format",
                "md, html, csv (the timeline), json, or journal: entries to be imported on another bastion",
                "FORMAT",
                completes="md html csv json journal",
            ),
            Option("roles", "roles in place of names"),
            Option("public", "for readers outside: --template public --redact --roles"),
            Option("ics214", "the activity log (ICS 214) of one responder", "NAME"),
            Option("since", "the timeline from then on; of a journal what was recorded since TIME or a handle", "TIME"),
            Option("until", "the timeline until then", "TIME"),
            Option("pinned", "of the timeline what is pinned"),
            ARCHIVE,
            Option("all", "the whole journal, with --format json: `import` makes an identical one of it elsewhere"),
            Option("output", "write to this file, not standard output", "FILE", short="o", completes="file"),
        ),
    ),
    Command(
        "follow-ups",
        "what is left to do after incidents, of all of them: whose, how old, what is overdue",
        "many:list_follow_ups",
        options=(
            Option(
                "format", "text, csv, github or gitlab (a text an issue)", "FORMAT", completes="text csv github gitlab"
            ),
            Option("owner", "of this person", "NAME"),
            Option("done", "those that are done, too"),
            JSON,
        ),
        more="Exit status 1 when one is overdue.",
    ),
    Command(
        "stats",
        "numbers over incidents: every value, median and range; drills are left out",
        "many:show_stats",
        options=(
            Option("since", "declared from then on", "TIME"),
            Option("until", "declared until then", "TIME"),
            JSON,
        ),
    ),
    Command(
        "digest",
        "a week for the newsletter: incidents, follow-ups, on call, what flapped, lessons, anniversaries",
        "many:show_digest",
        options=(
            Option("week", "this (when not said), last, 2026-W48, or a day in it", "WEEK"),
            Option("format", "md or html", "FORMAT", completes="md html"),
            Option("output", "write to this new file, not standard output", "FILE", short="o", completes="file"),
        ),
    ),
    Command(
        "import",
        "journals (export --format journal, --all, a backup), or entries of a card, a file, Slack, Mattermost, IRC",
        "importing:bring_in",
        "[FILE]",
        (
            Option("zone", "of times that stand without one: UTC, Europe/Paris, +01:00", "ZONE"),
            Option("date", "the day of the first line, where the file does not say it", "DAY"),
            Option("room", "this channel of an export of many", "ROOM"),
            Option("incident", "into this incident, not the current one", "INCIDENT", short="i"),
            Option("since", "what was said from then on", "TIME"),
            Option("until", "what was said until then", "TIME"),
            Option("dry-run", "show what would be saved, save nothing", short="n"),
            Option("undo", "strike what the import ID saved", "ID"),
            Option("head", "of a journal: refuse it unless it holds this head, recorded elsewhere", "HEAD"),
            Option("recover", "this journal was restored from an older copy: take back what FILE has of it"),
        ),
        "FILE may be a folder or a zip of Slack's, or - for standard input. The same file again adds only what is new "
        "in it. Exit status 1 when a line was not imported.",
    ),
    Command(
        "archive",
        "put closed incidents into a file, to keep the journal small; `import FILE` brings them back",
        "archive:archive",
        "FILE [INCIDENT...]",
        (
            Option("closed-before", "all that were closed longer ago: 365d, 52w, 2y", "AGE"),
            Option("unreviewed", "also where the review is not done"),
            Option("dry-run", "list them, change nothing", short="n"),
            Option("purge", "destroy the text of this entry in the file, once `purge` did in the journal", "HANDLE"),
        ),
        "What is listed, counted and still to do stays in the journal. `show` and `export` read the file by --archive.",
    ),
    Command(
        "report",
        "`check` what a report lacks or should not say, with line numbers; `fields` a template can print",
        "report:report",
        "check|fields [FILE|INCIDENT]",
        (Option("rules", "print the rules, each with its source"), JSON),
        "`check FILE` checks a file, `check [INCIDENT]` the full report as it would be exported now. Exit status 1 "
        "when there is anything to mend. `[report] skip` turns rules off.",
    ),
    Command(
        "verify",
        "check the journal's chain, and which entries are signed by whom",
        "show:verify",
        "[HEAD...]",
        (
            JSON,
            Option("signature", "write this signature and what it signs as files that ssh-keygen checks", "HANDLE"),
            Option("out", "into this directory, not the current one", "DIR", completes="directory"),
        ),
        "HEAD is a journal head recorded elsewhere, in a report or a handoff: `JOURNAL:NUMBER:HASH`. Exit status 1 "
        "when the chain does not hold or a signature does not fit.",
    ),
    Command(
        "sign",
        "have the SSH agent sign what stands under your name and account and is not signed yet",
        "signing:sign",
        options=(Option("dry-run", "list it, sign nothing", short="n"),),
        more='Needs sign = "agent" in [journal]; then the screen and each command sign what they save by themselves.',
    ),
    Command(
        "backup",
        "copy the journal to one file while it is in use, and check the copy",
        "backup:backup",
        "DEST",
        more="DEST is a file, or a directory, where each backup gets a name of its own. An earlier backup of the same "
        "journal is replaced, no other file. Exit status 1 when the copy could not be made or does not pass.",
    ),
    Command(
        "restore",
        "bring back the entries of a backup",
        "backup:restore",
        "FILE",
        more="It adds what the journal lacks, or makes the journal. It is refused when the journal has entries that "
        "the backup lacks, and says which; then nothing was changed.",
    ),
    Command("purge", "destroy the text of an entry, leaving a tombstone", "record:purge", "HANDLE REASON..."),
    Command(
        "watch",
        "watch hosts and sites and send to chat; the screen starts this by itself",
        "screen:watch",
        options=(
            Option("service", "keep running when no screen is open"),
            Option("takeover-wait", "seconds to wait for another watch to end; 0 stands by for ever", "SECONDS"),
        ),
    ),
    Command(
        "chat",
        "what each chat still has to get; `retry` sends again what was refused, `test` sends a test message",
        "chat:chat",
        "[retry|test] [SINK] [HANDLE]",
        (JSON,),
        "`chat retry SINK HANDLE` also sends again what may have arrived already. Exit status 1 when anything was not "
        "delivered, 0 when it was sent or accepted: accepted means that the platform does not say whether it arrived.",
    ),
    Command(
        "notify",
        "hand in an alert: from Nagios, Icinga, cron or a script; kept until a watch takes it",
        "notify:notify",
        "[SOURCE] [TITLE...]",
        (
            Option("title", "what it is, in one line", "TEXT"),
            Option("text", "more of it", "TEXT"),
            Option("severity", "critical, warning, info, or the source's own word", "WORD"),
            Option("status", "firing (when not said), resolved, acknowledged or note", "WORD"),
            Option("key", "the same for one thing each time; made of the title when not said", "KEY"),
            Option("since", "since when it fires, an ISO time with its zone", "TIME"),
            Option("group", "what it is put together with", "TEXT"),
            Option("labels", "name=value,name=value", "LABELS"),
            Option("link", "where more of it is shown", "URL"),
            Option("stdin", "read these fields as a JSON object from standard input"),
        ),
        "`notify nagios` takes NAGIOS_* from the environment; `notify icinga -- -l HOST -t TYPE ...` the options of "
        "Icinga's own scripts. Exit status 0 when it is kept, 1 when it cannot be, 2 when it is no alert.",
    ),
    Command("read", "a fresh reading of every host and site now", "machines:read", "[HOST...]", (JSON,)),
    Command(
        "probe",
        "one round on one host, as it was read",
        "machines:probe",
        "HOST",
        (JSON, Option("install", "print how to install it there behind a key that can do nothing else")),
    ),
    Command(
        "changes",
        "what changed on the hosts in the last 24 hours: packages, containers, images, files, reboots, root's logins",
        "investigate:show_changes",
        "[HOST...]",
        (JSON,),
        "Exit status 1 when a host or a source could not be read. `~` stands before a time that is only about right.",
    ),
    Command(
        "performance",
        "capture top, memory, vmstat, container stats and the kernel log of a host as one evidence entry",
        "investigate:performance",
        "HOST",
        (Option("dry-run", "print it, save nothing"),),
    ),
    Command(
        "run",
        "run a command on a host with your own SSH keys; what it was and how it ended become entries",
        "run:run",
        "HOST COMMAND...",
        (
            Option("expect", "what should be seen afterwards; may end with: verify after 2 minutes: COMMAND", "TEXT"),
            Option("yes", "confirmed: do not ask for the host's name"),
            Option("seconds", "stop it after so long; [commands] seconds when not said", "N"),
        ),
        "Write -- before the command: `incident-tui run web3 -- systemctl restart docker`. One word is a line for the "
        "host's shell. Standard input is passed on, Ctrl+C ends it there, the exit status is the command's.",
    ),
    Command(
        "check",
        "try configuration, keys, agent, hosts, sites and journal; say how to mend what does not work",
        "machines:check",
        options=(JSON,),
        more="Exit status 1 when anything does not work.",
    ),
    Command(
        "explain",
        "what a saved output of docker, gluster, df, free, top, vmstat or the kernel's log says;"
        " without FILE of standard input",
        "explain:explain_output",
        "[FILE]",
        (JSON,),
        "Exit status 1 when the output says that something is wrong or not known, 2 when it is not recognised.",
    ),
    Command(
        "brief",
        "the situation on at most 24 lines of 80 columns",
        "briefing:brief",
        "[INCIDENT]",
        (Option("since", "what came since this time, or since your last screen: last", "TIME"),),
    ),
    Command(
        "handoff",
        "offer command to somebody, with a briefing in Markdown; they accept by name",
        "briefing:handoff",
        "NAME",
        (Option("output", "write to this file, not standard output", "FILE", short="o", completes="file"),),
        "Who takes over says /handoff accept, or `incident-tui log '/handoff accept'`.",
    ),
    Command(
        "card",
        "the break-glass card: contacts, meeting places, commands, last known state, a form for paper",
        "briefing:card",
        "[INCIDENT]",
        (
            Option("output", "write to this file, not standard output", "FILE", short="o", completes="file"),
            Option("hosts", "leave it on every host that can be reached, in the home of the account"),
            Option("chat", "post it, without secrets, to each [[chat]] whose send has card"),
            Option("import", "make entries of the lines that were typed into a card", "FILE", completes="file"),
        ),
        "A card is left beside the journal, in cards/, when an incident is declared; the watch keeps it current.",
    ),
    Command(
        "join-keys",
        "print lines for authorized_keys: each gives one person the screen under their name, and nothing else",
        "joining:join_keys",
        "[NAME...]",
        (
            Option("old", "for an sshd older than OpenSSH 7.2, which does not know restrict"),
            Option("sync", "instead, a line for this public key of another bastion: to sync, and nothing else", "FILE"),
        ),
        "The keys are those of [[people]] keys. Add the lines to ~/.ssh/authorized_keys of the shared account.",
    ),
    Command(
        "join",
        "what such a line runs: the screen, brief or log of one person",
        "joining:join",
        "NAME",
        (Option("key", "fingerprint of the key that logged in", "FINGERPRINT"),),
    ),
    *BASTIONS,
    Command(
        "contacts",
        "everybody who may be called, with the time it is for them; needs no network",
        "people:contacts",
        options=(JSON,),
    ),
    Command(
        "oncall",
        "who is on call now and next, and whom to call after them",
        "people:oncall",
        options=(
            Option("at", "at this time, not now: UTC, or with a zone", "TIME"),
            Option("ics", "print the shifts as an iCalendar file"),
            Option("weeks", "how many weeks of shifts; 13 when not said", "N"),
            JSON,
        ),
        more="Exit status 1 when nobody is on call.",
    ),
    Command(
        "playbook",
        "print a playbook, or list them; `check` says what is wrong with playbooks",
        "playbooks:playbook",
        "[NAME|check] [FILE...]",
        more="`playbook check FILE...` checks these files, `playbook check` those that come with the program and those "
        "of [playbooks] directory: one line for each mistake, with file and line. Exit status 1 when there is any, 2 "
        "when a file cannot be read.",
    ),
    Command("completion", "print the completion for a shell", "completion:completion", "bash|zsh"),
    Command("version", "print the version", "show:version"),
)

BY_NAME: Final = {command.name: command for command in COMMANDS}
