#!/bin/sh
# This bundle's interpreter, on this bundle's C library: what `sys.executable` names, so that children run on it too.
here=${0%/*}/..
exec "$here/lib/@LOADER@" --library-path "$here/lib" --argv0 "$0" "$here/bin/python" -I -S "$@"
