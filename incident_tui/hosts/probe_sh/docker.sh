# Docker and podman: containers, their cgroups (memory and processor), events.

itui_cgroups() { # PID:ID...: files of the cgroups these processes live in; one fork for all
    itui_begin cgroup
    itui_all="$*"
    set --
    for itui_w in $itui_all; do
        itui_p=${itui_w%%:*} itui_i=${itui_w#*:}
        case $itui_p$itui_i in *[!0-9a-f]* | '') continue ;; esac
        case $itui_p in *[!0-9]* | '') continue ;; esac
        itui_d= itui_u=
        while IFS=: read -r itui_h itui_c itui_g; do
            itui_g=${itui_g%/container}
            case $itui_h:,$itui_c, in 0:,,) [ -z "$V2" ] || itui_d=${itui_d:-$V2$itui_g} ;; esac
            case ,$itui_c, in *,memory,*) [ -z "$V1" ] || itui_d=$V1$itui_g ;; esac
            case ,$itui_c, in *,cpuacct,*) [ -z "$V1_CPU" ] || itui_u=$V1_CPU$itui_g ;; esac
        done 2>/dev/null <"$R/proc/$itui_p/cgroup"
        case $itui_d in *"$itui_i"*) ;; *) continue ;; esac # another process has this pid by now
        set -- "$@" "$R${itui_u:-$itui_d}/cpuacct.usage" "$R$itui_d/cpu.stat"
        for itui_f in memory.usage_in_bytes memory.limit_in_bytes memory.failcnt memory.stat memory.oom_control \
            memory.current memory.max memory.events; do
            set -- "$@" "$R$itui_d/$itui_f"
        done
    done
    [ $# -eq 0 ] || grep -sHE "$CGROUP_LINES" "$@" </dev/null
    itui_end cgroup 0
}

itui_docker() {
    [ -n "$ENGINE" ] || return
    itui_begin docker-ps
    itui_ids=$(itui_limit docker-ps 12 "$ENGINE" ps -aq --no-trunc 2>&1)
    itui_rc=$?
    printf '%s' "$itui_ids"
    itui_end docker-ps $itui_rc 12
    case $itui_rc in
    0) ;;
    124 | 137 | 143)
        itui_docker_files
        return
        ;;
    *) return ;;
    esac
    set --
    for itui_i in $itui_ids; do # words of a warning are no ids
        case $itui_i in
        *[!0-9a-f]*) ;;
        ????????????*) set -- "$@" "$itui_i" ;;
        esac
    done
    [ $# -eq 0 ] || itui_section docker-inspect 20 "$ENGINE" inspect "$@"
}

itui_docker_files() { # the daemon hangs: its files, and in which container the kernel has the processes they name
    itui_begin docker-files
    set +f
    set -- "$R"/var/lib/docker/containers/*/config.v2.json "$R"/var/lib/docker/containers/*/config.json
    set -f
    itui_files=$(itui_limit docker-files 5 sh -c 'grep -soHE "$@" | head -n 4000' sh "$FILE_KEYS" "$@" 2>/dev/null)
    itui_rc=$?
    printf '%s\n' "$itui_files"
    set --
    IFS=$NL
    for itui_x in $itui_files; do
        case $itui_x in
        *'"Pid":0') ;;
        *'.json:"Pid":'*) set -- "$@" "$R/proc/${itui_x##*:}/cgroup" ;;
        esac
    done
    IFS=$WHITE
    [ $# -eq 0 ] || grep -sHE '[0-9a-f]{64}' "$@" </dev/null
    itui_end docker-files $itui_rc 5
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
