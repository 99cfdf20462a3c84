#!/bin/bash
# SPDX-License-Identifier: MIT
#
# overcommit.sh - the commit charge of a process, and life under overcommit mode 2
#
# Note    Mode 2 is a setting of the whole machine: it is set for the few seconds of one
#         test, only where it may be written and leaves room for everyone, and put back.
. "$(dirname "$0")/../lib.sh"
LIMIT=30
setting=/proc/sys/vm/overcommit_memory
old=$(cat $setting)

at_end() { [ "$(cat $setting)" = "$old" ] || echo "$old" >$setting; }

compile overcommit overcommit.c -pthread

charge() { under "$T/overcommit"; }
small() { under sh -c 'ls / | sort | wc -l >/dev/null && echo ok'; }

same "the commit charge" charge
check "every answer is yes" sh -c '! grep -H ": no$" "$1"/plain.out "$1"/rseq.out "$1"/lock.out' - "$T"

room=$(awk '/^CommitLimit/ { l = $2 } /^Committed_AS/ { c = $2 } END { print int((l - c) / 1024) }' /proc/meminfo)
if [ "$room" -lt 4096 ]; then
	skip "overcommit mode 2" "only $room MiB would be left for everyone"
elif ! echo 2 2>/dev/null >$setting; then
	skip "overcommit mode 2" "$setting cannot be written"
else
	same "overcommit mode 2: a program" charge
	same "overcommit mode 2: a pipe of programs" small
	at_end
fi
tap_done
