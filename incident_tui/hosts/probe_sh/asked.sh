# What is read only when somebody asks for it, on a channel of its own: words with `asked:` in front.

itui_asked() { # word without `asked:`
    case $1 in
    log:*) itui_log "${1#log:}" ;;
    esac
}

itui_log() { # ID: the end of a container's log
    case $1 in '' | *[!0-9a-f]*) return ;; esac
    [ -n "$ENGINE" ] || return
    itui_section "asked:log:$1" 10 "$ENGINE" logs --tail 200 -t "$1"
}
