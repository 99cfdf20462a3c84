#!/bin/bash
# SPDX-License-Identifier: MIT
#
# secure.sh - under AT_SECURE only the hardening options are read, and no file is written
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "no Ashlar"
[ "$(id -u)" = 0 ] || skip_all "only root can make a program of another user's setuid"

# The other user may not be able to read the build folder: root's home is closed to everybody.
chmod 755 "$T"
soname=$(readelf -dW "$PRELOAD" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
cp "$PRELOAD" "$T/$soname" && chmod 644 "$T/$soname"
compile secure secure.c -ldl "$T/$soname" -Wl,--no-as-needed -Wl,-rpath,"$T"
mkdir -m 777 "$T/reports"
chown nobody "$T/secure" && chmod 4755 "$T/secure"

export ASHLAR_OPTIONS="limit=16m;foreign=libc;report=$T/reports"
timeout 20 "$T/secure" >"$T/out" 2>"$T/err"
grep -q '^secure 0' "$T/out" && skip_all "setuid has no effect here (a nosuid mount?)"
check "the program starts, with more rights than its caller" grep -q '^secure 1' "$T/out"
check "a hardening option is obeyed" grep -q '^limited 1' "$T/out"
check "the program runs to its end" grep -q '^end' "$T/out"
check "report=DIR is not obeyed" test -z "$(ls -A "$T/reports")"
(timeout 20 "$T/secure" foreign) >"$T/out" 2>"$T/err"
status=$?
check "foreign=libc is not obeyed" test $status = 134
unset ASHLAR_OPTIONS
tap_done
