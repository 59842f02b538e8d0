# What the machine itself says: /proc, file systems, the kernel's log.

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
        "$R/proc/pressure/memory" "$R/proc/pressure/io" "$R/proc/pressure/cpu" \
        "$R/proc/sys/vm/min_free_kbytes" </dev/null
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
                if [ "$3" = fuse.glusterfs ]; then # named, never touched
                    printf '%s %s %s %s\n' "$1" "$2" "$3" "$4"
                elif [ $itui_count -lt 40 ]; then
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
    itui_section oom-dmesg 5 sh -c 'dmesg 2>&1 | awk -v a="$1|^dmesg: |dmesg: .*not found" -v b="$2" "$3"' \
        sh "$OOM_LINES" "$KERNEL_LINES" "$KEEP_LAST"
    for itui_f in /var/log/messages /var/log/kern.log /var/log/syslog; do
        if [ -r "$R$itui_f" ]; then
            itui_section oom-log 5 sh -c 'printf "file %s\n" "$3"; tail -c 400000 "$2" | awk -v a="$1" -v b="$4" "$5"' \
                sh "$OOM_LINES" "$R$itui_f" "$itui_f" "$KERNEL_LINES" "$KEEP_LAST"
            return
        fi
    done
}
