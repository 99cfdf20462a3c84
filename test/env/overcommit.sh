#!/bin/bash
# SPDX-License-Identifier: MIT
#
# overcommit.sh - the commit charge of a process, and life under overcommit mode 2
#
# Note    Mode 2 is a setting of the whole machine: it is set for the few seconds of one test, only
#         where it may be written and leaves room for everyone, and put back. A guard of its own
#         session puts it back when this script is killed, and if the guard dies as well, the next
#         run finds in $mark what the setting was. One script at a time has it: $mark is locked.
. "$(dirname "$0")/../lib.sh"
LIMIT=30
setting=/proc/sys/vm/overcommit_memory
mark=/run/ashlar-overcommit

# Take the setting: locked, what a killed run has left put back, a guard at the other end of fd 8.
take() {
	{ exec 9>>"$mark"; } 2>/dev/null && flock -w 120 9 && take_back_left || return 1
	old=$(cat $setting)
	echo "$old" >"$mark"
	exec 8> >(
		trap '' INT TERM HUP PIPE
		exec setsid sh -c 'read _; echo "$1" >"$2" && : >"$3"' - "$old" $setting "$mark" >/dev/null 2>&1
	)
	guard=$!
	echo 2 2>/dev/null >$setting || { give; return 1; }
}

take_back_left() {
	[ ! -s "$mark" ] || { cat "$mark" >$setting && : >"$mark"; }
}

give() {
	exec 8>&-
	wait $guard
	exec 9>&-
}

# Those that are started must not hold the guard's pipe.
without_guard() { "$@" 8>&- 9>&-; }

wait_for_setting() {
	for _ in {1..100}; do
		[ "$(cat $setting)" = "$1" ] && return
		sleep 0.05
	done
	echo "the setting is $(cat $setting), not $1"
	return 1
}

# A script that is killed while it has the setting; then one whose guard is killed, too.
killed() {
	local was=$old script
	"$0" hold &
	script=$!
	wait_for_setting 2 || return 1
	kill -KILL $script
	wait $script 2>/dev/null
	wait_for_setting "$was"
}

guard_killed() {
	local was=$old script
	"$0" hold >"$T/guard" &
	script=$!
	wait_for_setting 2 && [ -s "$T/guard" ] || return 1
	kill -KILL "$(cat "$T/guard")" $script
	wait $script 2>/dev/null
	wait_for_setting 2 || return 1
	take && give && wait_for_setting "$was"
}

if [ "${1-}" = hold ]; then
	cd / && rm -rf "$T" && take && echo "$guard" && exec sleep 30
	exit 1
fi

compile overcommit overcommit.c -pthread

charge() { under "$T/overcommit"; }
small() { under sh -c 'ls / | sort | wc -l >/dev/null && echo ok'; }

same "the commit charge" charge
check "every answer is yes" sh -c '! grep -H ": no$" "$1"/plain.out "$1"/rseq.out "$1"/lock.out' - "$T"

room=$(awk '/^CommitLimit/ { l = $2 } /^Committed_AS/ { c = $2 } END { print int((l - c) / 1024) }' /proc/meminfo)
if [ "$room" -lt 4096 ]; then
	skip "overcommit mode 2" "only $room MiB would be left for everyone"
elif ! take; then
	skip "overcommit mode 2" "$setting cannot be written, or somebody else has it"
else
	without_guard same "overcommit mode 2: a program" charge
	without_guard same "overcommit mode 2: a pipe of programs" small
	give
	check "the setting goes back when its script is killed" killed
	check "and with the next script when the guard is killed, too" guard_killed
fi
tap_done
