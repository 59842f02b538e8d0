# Rounds, the idle guard, and the start. Last: it needs all that is above.

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
    itui_pids= itui_served=
    for itui_word in $itui_words; do
        case $itui_word in
        hello) itui_hello ;;
        clock) itui_clock ;;
        proc) itui_proc ;;
        disk) itui_disk ;;
        oom) itui_oom ;;
        cg:*) itui_pids="$itui_pids ${itui_word#cg:}" ;;
        brick:*) itui_served="$itui_served ${itui_word#brick:}" ;;
        watch:*) itui_watch "${itui_word#watch:}" ;;
        docker) itui_docker ;;
        gluster) itui_gluster ;;
        status:* | heal:* | split:* | summary:* | rebalance:* | quota:* | snaps:* | geo:*) itui_volume "$itui_word" ;;
        asked:*) itui_asked "${itui_word#asked:}" ;;
        esac
    done
    [ -z "$itui_served" ] || itui_bricks $itui_served
    [ -z "$itui_pids" ] || itui_cgroups $itui_pids
    printf '%s DONE %s\n' "$M" "$itui_id"
}

itui_cost() { # what this shell and all it waited for have used of the CPU so far
    printf '%s ROUND %s\n' "$M" "$itui_id"
    itui_begin cost
    times
    itui_end cost 0
    printf '%s DONE %s\n' "$M" "$itui_id"
}

itui_main() {
    MODE=$1 M=$2 IDLE=$3 INSTALLED=${4:-} R=${ITUI_ROOT:-} FOLLOWER='' GUARD='' V1='' V1_CPU='' V2='' ENGINE='' GLUSTER='' LIMITER=shell
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
    cd "$R/" 2>/dev/null || cd / # not where the login put us: a home may lie on a mount that hangs
    exec 4>&1
    PROC_LINES='^(MemTotal|MemFree|MemAvailable|Buffers|Cached|Shmem|SReclaimable|Active.file|Inactive.file|SwapTotal|SwapFree|some |full |cpu '
    PROC_LINES=$PROC_LINES'|btime |processes |pswpin |pswpout |oom_kill |[0-9])'
    LOCAL_TYPES='^[^ ]+ (/ |[^ ]+ (ext[234]|xfs|btrfs|zfs|jfs|reiserfs|f2fs|vfat|bcachefs|fuse.glusterfs) )'
    OOM_LINES='Killed process|[Oo]ut of [Mm]emory|oom-kill:|Tasks? in .* killed|invoked oom-killer|systemd-oomd.*: Killed /'
    KERNEL_LINES='I/O [Ee]rror|[Mm]edium [Ee]rror|EXT[234]-fs.*(error|[Rr]emounting)|XFS.*([Cc]orruption|[Ii]nternal error|[Ss]hut)'
    KERNEL_LINES=$KERNEL_LINES'|BTRFS.*(error|critical)|[Rr]emounting filesystem read-only|blocked for more than [0-9]+ sec'
    KEEP_LAST='$0 ~ a { x[n++ % 120] = $0; next } $0 ~ b { y[m++ % 60] = $0 }
END { for (i = n > 120 ? n - 120 : 0; i < n; i++) print x[i % 120]; for (i = m > 60 ? m - 60 : 0; i < m; i++) print y[i % 60] }'
    FILE_KEYS='"(Running|Paused|Dead|OOMKilled)":(true|false)|"(Pid|ExitCode)":-?[0-9]+|"Name":"/[^"]*"'
    FILE_KEYS=$FILE_KEYS'|"(StartedAt|FinishedAt)":"[^"]*"'
    CGROUP_LINES='^([0-9]|max|total_inactive_file |inactive_file |oom_kill |under_oom |max|usage_usec )'
    while read -r itui_d itui_m itui_t itui_o itui_x; do
        case $itui_t:,$itui_o, in cgroup:*,memory,*) V1=${V1:-$itui_m} ;; cgroup2:*) V2=${V2:-$itui_m} ;; esac
        case $itui_t:,$itui_o, in cgroup:*,cpuacct,*) V1_CPU=${V1_CPU:-$itui_m} ;; esac
    done 2>/dev/null <"$R/proc/mounts"
    if command -v docker >/dev/null 2>&1; then ENGINE=docker; elif command -v podman >/dev/null 2>&1; then ENGINE=podman; fi
    ! command -v gluster >/dev/null 2>&1 || GLUSTER=yes
    case $(timeout --version 2>/dev/null </dev/null) in
    *coreutils*) ! timeout -s KILL 5 true 2>/dev/null </dev/null || LIMITER=timeout ;;
    esac
    trap itui_stop EXIT
    trap 'exit 1' HUP TERM INT PIPE
    # READY comes after a newline: what the login printed last may have had none.
    if [ "$MODE" = events ]; then
        printf '\n%s READY 1 %s %s\n' "$M" "$MODE" "$INSTALLED"
        if [ -z "$ENGINE" ]; then
            printf '%s EVENTS none\n' "$M"
            return 0
        fi
        printf '%s EVENTS on\n' "$M"
        itui_follow
        itui_guard
    else
        itui_guard
        printf '\n%s READY 1 %s %s\n' "$M" "$MODE" "$INSTALLED"
    fi
    while read -r itui_id itui_words; do
        kill -USR1 "$GUARD" 2>/dev/null
        case $itui_words in
        ping) continue ;;
        cost) # here: a round on the fast channel is a shell of its own
            itui_cost
            continue
            ;;
        esac
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
