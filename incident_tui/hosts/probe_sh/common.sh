# incident-tui's probe: read-only, POSIX sh (dash, bash 4.1, busybox ash; coreutils 8.4). It is sent on standard input of
# `exec /bin/sh`, writes no file, and ends at end of input. hosts/sections.py states the framing of what it prints.
#
#   itui_main MODE MARKER IDLE    MODE fast, slow or events; IDLE seconds without a request after which it ends itself
#
# A request is one line: an id and words. Words: hello clock proc disk oom cg:PID:ID brick:PID watch:PID | docker gluster
# status:VOLUME heal:VOLUME split:VOLUME summary:VOLUME rebalance:VOLUME quota:VOLUME snaps:VOLUME geo:VOLUME
# (these take locks or cost memory) | asked:… (only when somebody asks) | ping | cost.
# ITUI_ROOT goes before /proc, /sys, /var, /etc and brick paths, ITUI_PATH replaces PATH: for tests and the demo.

itui_now() { # NOW = centiseconds of the machine's own monotonic clock, without a fork
    read -r NOW itui_x 2>/dev/null </proc/uptime || NOW=0.00
    NOW=${NOW%.*}${NOW#*.}
}

itui_begin() {
    itui_now
    T0=$NOW
    printf '%s SECTION %s\n' "$M" "$1"
}

itui_end() { # name rc [limit]
    itui_now
    printf '\n%s END %s %s %s %s\n' "$M" "$1" "$2" "$((NOW - T0))" "${3:-0}"
}

itui_kill_tree() { # a process and what it started; looked up in the real /proc
    set +f
    itui_all=$1 itui_level=$1
    while [ -n "$itui_level" ]; do
        itui_next=
        for itui_p in $itui_level; do
            itui_next="$itui_next $(sed -n "s/^\([0-9]*\) (.*) [A-Za-z] $itui_p .*/\1/p" /proc/[0-9]*/stat 2>/dev/null)"
        done
        itui_level=${itui_next# }
        case $itui_level in *[0-9]*) ;; *) itui_level= ;; esac
        itui_all="$itui_all $itui_next"
    done
    kill -9 $itui_all 2>/dev/null
}

itui_limit() { # section seconds command...: killed at its limit; announced, so that a child stuck in D can be named
    itui_s=$1 itui_n=$2
    shift 2
    case $LIMITER in
    timeout) # of coreutils, which kills the whole process group; busybox kills only the child
        sh -c 'printf "%s CHILD %s %s\n" "$1" "$2" "$$" >&4; n=$3; shift 3; exec timeout -s KILL "$n" "$@" 4>&-' \
            sh "$M" "$itui_s" "$itui_n" "$@" </dev/null
        ;;
    *)
        "$@" </dev/null 4>&- &
        itui_c=$!
        printf '%s CHILD %s %s\n' "$M" "$itui_s" "$itui_c" >&4
        (
            trap 'kill -9 $! 2>/dev/null; exit 0' TERM
            sleep "$itui_n" &
            wait $!
            itui_kill_tree "$itui_c"
        ) >/dev/null 2>&1 4>&- &
        itui_k=$!
        wait "$itui_c"
        itui_r=$?
        kill -TERM "$itui_k" 2>/dev/null
        return $itui_r
        ;;
    esac
}

itui_section() { # section seconds command...: a limited command as a section of its own
    itui_begin "$1"
    itui_limit "$@" 2>&1
    itui_rc=$?
    itui_end "$1" $itui_rc "$2"
}

itui_watch() { # what became of a child of another channel: itself and its children
    itui_begin watch
    set +f
    set -- "$1" /proc/[0-9]*/stat
    set -f
    itui_p=$1
    shift
    case $itui_p in *[!0-9]* | '') ;; *) grep -shE "^$itui_p \\(|\\) [A-Z] $itui_p " "$@" </dev/null ;; esac
    itui_end watch 0
}
