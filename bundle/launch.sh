#!/bin/sh
# incident-tui @VERSION@ in one file: this script, and after it a compressed archive of the program, its Python and its
# C library. The first start unpacks it beside your other caches; later starts begin what lies there. `sh -x` shows how.
set -u
fail() {
  printf 'incident-tui: %s\n' "$1" >&2
  exit 2
}
self=$0
case $self in /*) ;; */*) self=$PWD/$self ;; *) self=$(command -v -- "$0") ;; esac
if [ -n "${INCIDENT_TUI_CACHE:-}" ]; then
  cache=$INCIDENT_TUI_CACHE
elif [ -n "${XDG_CACHE_HOME:-}" ]; then
  cache=$XDG_CACHE_HOME/incident-tui
else
  [ -n "${HOME:-}" ] || fail "HOME is not set; set INCIDENT_TUI_CACHE to a directory of yours that this file may unpack itself into."
  cache=$HOME/.cache/incident-tui
fi
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
other="set INCIDENT_TUI_CACHE to another directory of yours"
place=$cache/@ID@

unpack() {
  for tool in uname mkdir rm df tail gzip tar; do
    command -v "$tool" >/dev/null || fail "this machine has no $tool, which is needed to unpack this file; install it, or unpack on another machine and copy $place."
  done
  system=$(uname -s) machine=$(uname -m) release=$(uname -r)
  [ "$system" = Linux ] && [ "$machine" = @ARCH@ ] ||
    fail "this file is for Linux on @ARCH@, and this machine is $system on $machine; install with pip there."
  major=${release%%.*} rest=${release#*.}
  minor=${rest%%[!0-9]*}
  [ "$major" -gt @MAJOR@ ] || { [ "$major" -eq @MAJOR@ ] && [ "$minor" -ge @MINOR@ ]; } ||
    fail "this file needs Linux @MAJOR@.@MINOR@ or later, and this machine runs $release."
  [ -r "$self" ] || fail "$self cannot be read again to unpack it; start it by its path."
  (umask 077 && mkdir -p -- "$cache") 2>/dev/null || fail "$cache cannot be made or written; $other."
  free=$(df -Pk "$cache" 2>/dev/null | { read -r _; read -r _ _ _ free _; printf %s "$free"; })
  case $free in '' | *[!0-9]*) ;; *)
    [ "$free" -ge @KIB@ ] || fail "$cache has $free KiB free, and @KIB@ KiB are needed to unpack this file; $other."
    ;;
  esac
  new=$cache/.@ID@.$$
  trap 'rm -rf -- "$new"' EXIT
  trap 'exit 130' HUP INT TERM
  (umask 077 && mkdir -- "$new") 2>/dev/null || fail "$cache cannot be made or written; $other."
  tail -c +@OFFSET@ -- "$self" | gzip -dc 2>/dev/null | tar -xf - -C "$new" 2>/dev/null
  [ -e "$new/complete" ] || {
    tail -c +@OFFSET@ -- "$self" | gzip -t 2>/dev/null ||
      fail "$self is damaged or was cut off; copy it here again (compare sha256sum with the original)."
    fail "$self could not be unpacked into $cache (is the disk full, or a quota reached?); $other."
  }
  "$new/lib/@LOADER@" --version >/dev/null 2>&1 ||
    fail "$cache lets no program run (is it mounted noexec?); $other."
  # Renamed whole: who else starts now sees all of it or nothing, and whoever comes second keeps the first one's.
  "$new/bin/python3" -c 'import os, sys
try: os.rename(*sys.argv[1:])
except OSError: sys.exit(not os.path.exists(sys.argv[2] + "/complete"))' "$new" "$place" ||
    fail "$place could not be put in place; remove it, or $other."
  trap - EXIT HUP INT TERM
  rm -rf -- "$new"
}

[ -e "$place/complete" ] || unpack
[ -O "$place" ] || fail "$place belongs to somebody else, who could change what it does; $other."
if [ -z "${SSL_CERT_FILE:-}" ]; then # where this system keeps the certificates it trusts
  for known in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -r "$known" ] && SSL_CERT_FILE=$known && export SSL_CERT_FILE && break
  done
fi
INCIDENT_TUI_BUNDLE=$self
export INCIDENT_TUI_BUNDLE
exec "$place/lib/@LOADER@" --library-path "$place/lib" --argv0 "$place/bin/python3" "$place/bin/python" -I -S -m incident_tui "$@"
exit 2
