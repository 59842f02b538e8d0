"""Completion scripts for bash and zsh, made from the table of commands."""

from __future__ import annotations

from incident_tui.cli.command import Option
from incident_tui.cli.commands import COMMANDS, GLOBAL
from incident_tui.cli.context import Context, Failure

_BASH = """\
# bash completion for incident-tui; to use it now: source <(incident-tui completion bash)
_incident_tui() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} word command=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in {names}) command=$word; break;; esac
  done
  case $command:$prev in
{values}
  esac
  local words="{globals}"
  case $command in
    "") words="$words {commands}" ;;
{options}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _incident_tui incident-tui
"""

_ZSH = """\
#compdef incident-tui
# zsh completion for incident-tui; put this file into a directory of $fpath as _incident-tui
_incident-tui() {{
  local -a commands options
  commands=(
{commands}
  )
  local word command=
  for word in ${{words[2,CURRENT-1]}}; do
    (( ${{commands[(I)$word:*]}} )) && {{ command=$word; break }}
  done
  case $command:${{words[CURRENT-1]}} in
{values}
  esac
  options=(
{globals}
  )
  case $command in
    "") _describe command commands ;;
{options}
  esac
  _describe option options
  _files
}}
_incident-tui "$@"
"""


def completion(context: Context) -> int:
    shell = context.call.words[0]
    if shell not in ("bash", "zsh"):
        raise Failure(f"completion is for bash or zsh, not {shell!r}: incident-tui completion bash", 2)
    print(bash() if shell == "bash" else zsh(), end="")
    return 0


def _valued() -> list[tuple[str, Option]]:
    """Options that take a value, each with its pattern for "COMMAND:OPTION": one of a name may differ by command."""
    every = [("*", option) for option in GLOBAL]
    every += [(command.name, option) for command in COMMANDS for option in command.options]
    kinds: dict[str, set[str]] = {}
    for _, option in every:
        kinds.setdefault(option.name, set()).add(option.completes)
    found: dict[str, Option] = {}
    for command, option in every:
        if option.value:
            where = "*" if len(kinds[option.name]) == 1 else command
            short = f"|{where}:-{option.short}" if option.short else ""
            found[f"{where}:--{option.name}{short}"] = option
    return list(found.items())


def bash() -> str:
    values = []
    for pattern, option in _valued():
        reply = {
            "file": '$(compgen -f -- "$cur")',
            "directory": '$(compgen -d -- "$cur")',
            "": "",
        }.get(option.completes, f'$(compgen -W "{option.completes}" -- "$cur")')
        values.append(f"    {pattern}) COMPREPLY=({reply}); return ;;")
    options = [
        f'    {command.name}) words="$words {" ".join("--" + option.name for option in command.options)}" ;;'
        for command in COMMANDS
        if command.options
    ]
    options.append('    completion) words="bash zsh" ;;')
    return _BASH.format(
        names="|".join(command.name for command in COMMANDS),
        commands=" ".join(command.name for command in COMMANDS),
        globals=" ".join("--" + option.name for option in GLOBAL),
        values="\n".join(values),
        options="\n".join(options),
    )


def _described(name: str, help_text: str) -> str:
    quoted = f"{name}:{help_text}".replace("'", "'\\''")
    return f"    '{quoted}'"


def zsh() -> str:
    values = []
    for pattern, option in _valued():
        action = {"file": "_files", "directory": "_files -/", "": "return"}.get(
            option.completes, f"compadd {option.completes}"
        )
        values.append(f"    {pattern}) {action}; return ;;")
    options = []
    for command in COMMANDS:
        if command.options:
            items = " ".join(_described("--" + option.name, option.help).strip() for option in command.options)
            options.append(f"    {command.name}) options+=({items}) ;;")
    options.append("    completion) compadd bash zsh; return ;;")
    return _ZSH.format(
        commands="\n".join(_described(command.name, command.help) for command in COMMANDS),
        globals="\n".join(_described("--" + option.name, option.help) for option in GLOBAL),
        values="\n".join(values),
        options="\n".join(options),
    )
