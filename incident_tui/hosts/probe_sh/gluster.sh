# GlusterFS: files and processes without a lock; then the commands that lock, one volume at a time.

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
            [ -z "$itui_b" ] || set -- "$@" ".$itui_x" # main.sh went to the root
            case $itui_x in --brick-name) itui_b=1 ;; *) itui_b= ;; esac
        done
        IFS=$WHITE
        [ $# -eq 0 ] || itui_section gluster-space 5 stat -f -c '%S %b %f %a %c %d %n' "$@"
        [ $# -eq 0 ] || itui_section gluster-pending 8 sh -c 'for b; do
                d=$b/.glusterfs/indices/xattrop n=-
                [ -r "$d" ] && [ -x "$d" ] && find "$d" -prune >/dev/null 2>&1 && n=$(find "$d" -name "????????-*" | head -n 5001 | grep -c .)
                printf "%s %s\n" "$n" "$b"
            done' sh "$@"
    fi
    [ -n "$GLUSTER" ] || return
    itui_section gluster-peers 20 gluster --mode=script --xml peer status
    case $itui_rc in 124 | 137 | 143) return ;; esac # it hangs, and would once more
    itui_section gluster-volumes 20 gluster --mode=script --xml volume info
}

itui_bricks() { # PID...: what became of brick processes, at the fast pace: read by the shell itself, no fork
    itui_begin bricks
    for itui_p in "$@"; do
        case $itui_p in *[!0-9]* | '') continue ;; esac
        itui_x=
        read -r itui_x 2>/dev/null <"$R/proc/$itui_p/stat"
        printf '%s\n' "${itui_x:-$itui_p}" # the number alone: there is no such process
    done
    itui_end bricks 0
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
    rebalance:*) itui_section "$1" 60 gluster --mode=script --xml volume rebalance "$itui_v" status ;;
    quota:*) itui_section "$1" 60 gluster --mode=script --xml volume quota "$itui_v" list ;;
    snaps:*) itui_section "$1" 60 gluster --mode=script --xml snapshot info volume "$itui_v" ;;
    geo:*) itui_section "$1" 60 gluster --mode=script --xml volume geo-replication "$itui_v" status ;;
    esac
}
