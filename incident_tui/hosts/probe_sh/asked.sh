# What is read only when somebody asks for it, on a channel of its own: words with `asked:` in front.

itui_asked() { # word without `asked:`
    case $1 in
    log:*) itui_log "${1#log:}" ;;
    performance) itui_performance ;;
    changes) itui_changes ;;
    esac
}

itui_log() { # ID: the end of a container's log
    case $1 in '' | *[!0-9a-f]*) return ;; esac
    [ -n "$ENGINE" ] || return
    itui_section "asked:log:$1" 10 "$ENGINE" logs --tail 200 -t "$1"
}

itui_performance() { # all limits together: 40 s
    itui_section asked:top 5 sh -c 'nice top -b -n 1 2>&1 | head -n 30'
    itui_section asked:memory 5 sh -c 'ps -eo pid,user,rss,pcpu,args --sort=-rss 2>&1 | cut -c 1-160 | head -n 21'
    itui_section asked:free 3 free
    itui_section asked:vmstat 6 vmstat 1 3
    ! command -v iostat >/dev/null 2>&1 || itui_section asked:iostat 6 iostat -x 1 2
    [ -z "$ENGINE" ] || itui_section asked:stats 10 sh -c '! "$1" stats --help 2>&1 | grep -q no-stream || exec "$1" stats --no-stream' sh "$ENGINE"
    itui_section asked:dmesg 5 sh -c 'dmesg 2>&1 | tail -n 40'
}

itui_changes() { # of the last day, as far as the account may look
    for itui_f in /var/log/dpkg.log.1 /var/log/dpkg.log /var/log/yum.log /var/log/dnf.rpm.log; do
        [ -r "$R$itui_f" ] || continue
        itui_section "asked:packages:${itui_f##*/}" 5 sh -c 'grep -aE " (install|upgrade|remove|purge) |(Installed|Updated|Upgrade|Upgraded|Erased|Removed|Downgraded): " "$1" | tail -n 400' sh "$R$itui_f"
    done
    [ -z "$ENGINE" ] || itui_section asked:images 10 "$ENGINE" images
    itui_section asked:touched 8 sh -c 'find "$1"/etc/docker "$1"/etc/sysconfig/docker* "$1"/etc/default/docker "$1"/etc/containers \
        "$1"/etc/glusterfs "$1"/var/lib/glusterd/vols/*/info "$1"/var/lib/glusterd/glusterd.info -type f -mtime -1 \
        -exec stat -c "%Y %n" {} + 2>/dev/null | head -n 200; true' sh "$R"
    itui_section asked:logins 5 sh -c 'last -F -n 200 2>&1 | grep -E "^(root|reboot) " | head -n 100; true'
}
