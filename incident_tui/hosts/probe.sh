# incident-tui's probe: read-only, POSIX sh (dash, bash 4.1, busybox ash; coreutils 8.4). It is sent on standard input of
# `exec /bin/sh`, writes no file, and ends at end of input. hosts/sections.py states the framing of what it prints.
#
#   itui_main MODE MARKER IDLE    MODE fast, slow or events; IDLE seconds without a request after which it ends itself
#
# A request is one line: an id and words. Words: hello clock proc disk oom cg:PID:ID watch:PID | docker gluster
# status:VOLUME heal:VOLUME split:VOLUME summary:VOLUME (these four take locks or cost memory) | ping.
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
    itui_end "$1" $? "$2"
}

itui_hello() {
    itui_begin hello
    printf 'uid %s\n' "$(id -u)"
    printf 'limiter %s\n' "$LIMITER"
    printf 'engine %s\n' "$ENGINE"
    printf 'cpus %s\n' "$(grep -c '^processor' "$R/proc/cpuinfo" 2>/dev/null)"
    for itui_f in hostname osrelease; do
        itui_v=
        read -r itui_v 2>/dev/null <"$R/proc/sys/kernel/$itui_f"
        printf '%s %s\n' "$itui_f" "$itui_v"
    done
    grep -shE '^(PRETTY_NAME=|[A-Z][A-Za-z ]* release )' "$R/etc/redhat-release" "$R/etc/os-release" </dev/null
    itui_end hello 0
    [ -z "$ENGINE" ] || itui_section docker-version 5 "$ENGINE" --version
    [ -z "$GLUSTER" ] || itui_section gluster-version 5 gluster --version
}

itui_clock() {
    itui_begin clock
    date '+%s.%N %z' </dev/null
    itui_end clock $?
}

itui_proc() {
    itui_begin proc
    grep -sHE "$PROC_LINES" "$R/proc/loadavg" "$R/proc/uptime" "$R/proc/stat" "$R/proc/meminfo" "$R/proc/vmstat" \
        "$R/proc/pressure/memory" "$R/proc/pressure/io" "$R/proc/pressure/cpu" </dev/null
    itui_end proc 0 # grep's 2 only says that a file is missing, and which ones came shows in the lines
}

itui_disk() { # df is told which mounts to look at: it must never touch a dead network or gluster mount
    itui_begin mounts
    set -- $(grep -E "$LOCAL_TYPES" "$R/proc/mounts" 2>/dev/null </dev/null)
    itui_seen=' ' itui_dirs= itui_count=0
    while [ $# -ge 6 ]; do
        case $itui_seen in
        *" $1 "*) ;; # a bind mount of the same device
        *)
            case $2 in
            /var/lib/docker/* | /var/lib/containers/* | /snap/*) ;;
            *)
                if [ $itui_count -lt 40 ]; then
                    itui_seen="$itui_seen$1 " itui_dirs="$itui_dirs $2" itui_count=$((itui_count + 1))
                    printf '%s %s %s %s\n' "$1" "$2" "$3" "$4"
                fi
                ;;
            esac
            ;;
        esac
        shift 6
    done
    itui_end mounts 0
    set --
    for itui_d in ${itui_dirs:-/}; do
        case $itui_d in
        *\\*) itui_d=$(printf '%b' "$(printf '%s' "$itui_d" | sed 's/\\\([0-7]\)/\\0\1/g')") ;;
        esac
        set -- "$@" "$itui_d"
    done
    itui_section df 5 df -P -- "$@"
    itui_section df-inodes 5 df -P -i -- "$@"
}

itui_oom() {
    itui_section oom-dmesg 5 sh -c 'dmesg 2>&1 | grep -aE "$1|^dmesg: |dmesg: .*not found" | tail -n 120' sh "$OOM_LINES"
    for itui_f in /var/log/messages /var/log/kern.log /var/log/syslog; do
        if [ -r "$R$itui_f" ]; then
            itui_section oom-log 5 sh -c 'printf "file %s\n" "$3"; tail -c 400000 "$2" | grep -aE "$1" | tail -n 120' \
                sh "$OOM_LINES" "$R$itui_f" "$itui_f"
            return
        fi
    done
}

itui_cgroups() { # PID:ID...: memory files of the cgroups these processes live in; one fork for all
    itui_begin cgroup
    itui_all="$*"
    set --
    for itui_w in $itui_all; do
        itui_p=${itui_w%%:*} itui_i=${itui_w#*:}
        case $itui_p$itui_i in *[!0-9a-f]* | '') continue ;; esac
        case $itui_p in *[!0-9]* | '') continue ;; esac
        itui_d=
        while IFS=: read -r itui_h itui_c itui_g; do
            case $itui_h:,$itui_c, in
            0:,,) [ -z "$V2" ] || itui_d=${itui_d:-$V2$itui_g} ;;
            *,memory,*) [ -z "$V1" ] || itui_d=$V1$itui_g ;;
            esac
        done 2>/dev/null <"$R/proc/$itui_p/cgroup"
        case $itui_d in *"$itui_i"*) ;; *) continue ;; esac # another process has this pid by now
        case $itui_d in */container) itui_d=${itui_d%/container} ;; esac
        for itui_f in memory.usage_in_bytes memory.limit_in_bytes memory.failcnt memory.stat memory.oom_control \
            memory.current memory.max memory.events; do
            set -- "$@" "$R$itui_d/$itui_f"
        done
    done
    [ $# -eq 0 ] || grep -sHE "$CGROUP_LINES" "$@" </dev/null
    itui_end cgroup 0
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

itui_docker() {
    [ -n "$ENGINE" ] || return
    itui_begin docker-ps
    itui_ids=$(itui_limit docker-ps 12 "$ENGINE" ps -aq --no-trunc 2>&1)
    itui_rc=$?
    printf '%s' "$itui_ids"
    itui_end docker-ps $itui_rc 12
    [ $itui_rc -eq 0 ] || return
    set --
    for itui_i in $itui_ids; do # words of a warning are no ids
        case $itui_i in
        *[!0-9a-f]*) ;;
        ????????????*) set -- "$@" "$itui_i" ;;
        esac
    done
    [ $# -eq 0 ] || itui_section docker-inspect 20 "$ENGINE" inspect "$@"
}

itui_gluster() { # local answers only: none of these takes the cluster's lock
    [ -n "$GLUSTER" ] || [ -d "$R/var/lib/glusterd" ] || return
    itui_begin gluster-files
    grep -sH . "$R/var/lib/glusterd/glusterd.info" "$R/var/run/glusterd.pid" </dev/null
    set +f
    grep -sHE '^(hostname|path|uuid|listen-port)=' "$R"/var/lib/glusterd/vols/*/bricks/* </dev/null
    grep -sH . "$R"/var/lib/glusterd/vols/*/run/*.pid "$R"/var/run/gluster/vols/*/*.pid </dev/null
    itui_stats=$(grep -shE '^[0-9]+ \((glusterd|glusterfsd|glusterfs)\) ' "$R"/proc/[0-9]*/stat </dev/null)
    set -f
    printf '%s\n' "$itui_stats"
    itui_end gluster-files 0
    set --
    IFS=$NL # not a here-document: bash 4.1 would need room in /tmp for one
    for itui_x in $itui_stats; do
        case $itui_x in *'(glusterfsd)'*) set -- "$@" "$R/proc/${itui_x%% *}/cmdline" ;; esac
    done
    IFS=$WHITE
    if [ $# -gt 0 ]; then
        itui_begin gluster-bricks
        itui_args=$(itui_limit gluster-bricks 5 sh -c 'head -v -c 4096 "$@" | tr "\000" "\n"' sh "$@" 2>&1)
        itui_rc=$?
        printf '%s\n' "$itui_args"
        itui_end gluster-bricks $itui_rc 5
        set --
        itui_b=
        IFS=$NL
        for itui_x in $itui_args; do
            [ -z "$itui_b" ] || set -- "$@" "$itui_x"
            case $itui_x in --brick-name) itui_b=1 ;; *) itui_b= ;; esac
        done
        IFS=$WHITE
        [ $# -eq 0 ] || itui_section gluster-pending 8 sh -c 'r=$1; shift
            for b; do
                d=$r$b/.glusterfs/indices/xattrop n=-
                [ -r "$d" ] && [ -x "$d" ] && find "$d" -prune >/dev/null 2>&1 && n=$(find "$d" -name "????????-*" | head -n 5001 | grep -c .)
                printf "%s %s\n" "$n" "$b"
            done' sh "$R" "$@"
    fi
    [ -n "$GLUSTER" ] || return
    itui_section gluster-peers 20 gluster --mode=script --xml peer status
    itui_section gluster-volumes 20 gluster --mode=script --xml volume info
}

itui_volume() { # word: one command about one volume
    itui_v=${1#*:}
    case $itui_v in '' | -* | *[!A-Za-z0-9_.-]*) return ;; esac
    [ -n "$GLUSTER" ] || return
    case $1 in
    status:*) itui_section "$1" 150 gluster --mode=script --xml volume status "$itui_v" ;;
    heal:*) itui_section "$1" 90 nice -n 10 gluster --mode=script --xml volume heal "$itui_v" info ;;
    split:*) itui_section "$1" 90 nice -n 10 gluster --mode=script --xml volume heal "$itui_v" info split-brain ;;
    summary:*) itui_section "$1" 90 nice -n 10 gluster --mode=script --xml volume heal "$itui_v" info summary ;;
    esac
}

itui_follow() { # the follower outlives end of input unless it is killed, so somebody must
    (
        trap 'kill -9 $! 2>/dev/null; exit 0' TERM HUP
        "$ENGINE" events </dev/null 2>&1 4>&- &
        wait $!
        printf '\n%s EVENTS off\n' "$M"
    ) 4>&- &
    FOLLOWER=$!
}

itui_guard() { # ends this channel when the client has been silent for IDLE seconds: a cut network sends no end of input
    trap '' USR1
    (
        trap 'FRESH=1' USR1
        trap 'kill -9 $! 2>/dev/null; exit 0' TERM HUP
        while :; do
            FRESH=
            sleep "$IDLE" &
            while kill -0 $! 2>/dev/null; do wait $!; done
            if [ -z "$FRESH" ]; then
                [ -z "$FOLLOWER" ] || kill -TERM "$FOLLOWER"
                kill -9 $$
                exit 0
            fi
        done
    ) </dev/null >/dev/null 2>&1 4>&- &
    GUARD=$!
    trap - USR1
}

itui_stop() {
    trap - EXIT
    kill -TERM $GUARD $FOLLOWER 2>/dev/null
}

itui_round() { # itui_id itui_words
    printf '%s ROUND %s\n' "$M" "$itui_id"
    itui_pids=
    for itui_word in $itui_words; do
        case $itui_word in
        hello) itui_hello ;;
        clock) itui_clock ;;
        proc) itui_proc ;;
        disk) itui_disk ;;
        oom) itui_oom ;;
        cg:*) itui_pids="$itui_pids ${itui_word#cg:}" ;;
        watch:*) itui_watch "${itui_word#watch:}" ;;
        docker) itui_docker ;;
        gluster) itui_gluster ;;
        status:* | heal:* | split:* | summary:*) itui_volume "$itui_word" ;;
        esac
    done
    [ -z "$itui_pids" ] || itui_cgroups $itui_pids
    printf '%s DONE %s\n' "$M" "$itui_id"
}

itui_main() {
    MODE=$1 M=$2 IDLE=$3 R=${ITUI_ROOT:-} FOLLOWER='' GUARD='' V1='' V2='' ENGINE='' GLUSTER='' LIMITER=shell
    PATH=${ITUI_PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
    LC_ALL=C
    export PATH LC_ALL
    unset LANGUAGE CDPATH ENV BASH_ENV DOCKER_HOST DOCKER_CONTEXT GREP_OPTIONS
    NL='
'
    WHITE=" 	$NL"
    IFS=$WHITE
    set -f
    umask 077
    exec 4>&1
    PROC_LINES='^(MemTotal|MemFree|MemAvailable|Buffers|Cached|Shmem|SReclaimable|SwapTotal|SwapFree|some |full |cpu '
    PROC_LINES=$PROC_LINES'|btime |pswpin |pswpout |oom_kill |[0-9])'
    LOCAL_TYPES='^[^ ]+ (/ |[^ ]+ (ext[234]|xfs|btrfs|zfs|jfs|reiserfs|f2fs|vfat|bcachefs) )'
    OOM_LINES='Killed process|[Oo]ut of memory|oom-kill:|Task in .* killed as|invoked oom-killer'
    CGROUP_LINES='^([0-9]|max|total_inactive_file |inactive_file |oom_kill |under_oom |max)'
    while read -r itui_d itui_m itui_t itui_o itui_x; do
        case $itui_t:,$itui_o, in
        cgroup:*,memory,*) V1=${V1:-$itui_m} ;;
        cgroup2:*) V2=${V2:-$itui_m} ;;
        esac
    done 2>/dev/null <"$R/proc/mounts"
    if command -v docker >/dev/null 2>&1; then ENGINE=docker; elif command -v podman >/dev/null 2>&1; then ENGINE=podman; fi
    ! command -v gluster >/dev/null 2>&1 || GLUSTER=yes
    case $(timeout --version 2>/dev/null </dev/null) in
    *coreutils*) ! timeout -s KILL 5 true 2>/dev/null </dev/null || LIMITER=timeout ;;
    esac
    trap itui_stop EXIT
    trap 'exit 1' HUP TERM INT PIPE
    if [ "$MODE" = events ]; then
        printf '%s READY 1 %s\n' "$M" "$MODE"
        if [ -z "$ENGINE" ]; then
            printf '%s EVENTS none\n' "$M"
            return 0
        fi
        printf '%s EVENTS on\n' "$M"
        itui_follow
        itui_guard
    else
        itui_guard
        printf '%s READY 1 %s\n' "$M" "$MODE"
    fi
    while read -r itui_id itui_words; do
        kill -USR1 "$GUARD" 2>/dev/null
        [ "$itui_words" != ping ] || continue
        # A fast round is written at once: every write is a packet, and packets are most of the client's work.
        if [ "$MODE" = fast ]; then
            itui_out=$(itui_round)
            printf '%s\n' "$itui_out"
        else
            itui_round
        fi
    done
    return 0
}
