#!/bin/bash
# SPDX-License-Identifier: MIT
#
# options.sh - options are read once, before the first slab
. "$(dirname "$0")/../lib.sh"

compile options options.c

job() { under "$T/options"; }
unset_job() { under env -u ASHLAR_OPTIONS "$T/options"; }
same "options that change while the program runs" job
same "options that come while the program runs" unset_job

# report=DIR: what says nothing at exit says so at the start, and the program runs
reports() { timeout 60 env LD_PRELOAD="$PRELOAD" ASHLAR_OPTIONS="report=$1" /bin/echo runs >"$T/out" 2>"$T/err"; }
refuses() {
	reports "$2"
	printf 'ashlar: ASHLAR_OPTIONS: no record will be left in %s: %s\n' "'$2'" "$3" >"$T/expect"
	if [ "$(cat "$T/out")" = runs ] && cmp -s "$T/expect" "$T/err"; then
		pass "$1"
	else
		fail "$1" "$T/out" "$T/err"
	fi
}
if have_ashlar; then
	mkdir "$T/folder"
	check "report=, a folder: quiet" eval 'reports "$T/folder" && [ ! -s "$T/err" ]'
	check "and the record is there" eval '[ "$(ls "$T/folder" | wc -l)" = 1 ]'
	refuses "report=, a folder that is not there" "$T/none" "No such file or directory"
	refuses "report=, a file" "$T/expect" "Not a directory"
fi
tap_done
