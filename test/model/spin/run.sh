#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - check the protocol models with spin, and that their faults are found
#
# What    Each line of `cases` is one run: a model, a search, what must come out,
#         and the flags that choose bounds or plant a fault. `ok` means that
#         spin searched every state within the bounds and found no error. Any
#         other word must be part of the error that spin reports.
# Output  TAP, in the order of the table. `run.sh PATTERN` runs only the cases
#         whose line matches; KEEP=1 leaves the work folder and says where.
# Needs   spin, a C compiler; about 1 GiB of memory for two runs at a time, a
#         minute on two cores. MODEL_JOBS says how many run at a time (2).
#         A run searches for a second or three; -O2 takes longer than that to
#         compile, so MODEL_CFLAGS is -O0 unless set.
# See     docs/models.md
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)

# model search outcome flags
cases() {
	grep -v '^#' <<'CASES'
lock   dfs ok          -DSPINS=2
lock   dfs ok          -DSPURIOUS=2
lock   dfs ok          -DNTHREAD=4
lock   dfs holders==1  -DM_TRY_SPLIT
lock   dfs sleepers    -DM_SLOW_HELD
lock   dfs end_state   -DM_SLOW_HELD -DNO_WATCH
lock   dfs sleepers    -DM_WAIT_BLIND
lock   dfs sleepers    -DM_NO_WAKE
lock   dfs end_state   -DM_NO_WAKE -DNO_WATCH
lock   dfs sleepers    -DM_RELEASE_SPLIT
lock   dfs trying      -DM_TRY_WAITS
lock   dfs quiet       -DM_TRIED_OVER
lock   dfs sleepers    -DM_TRIED_SLEEPS
lock   dfs end_state   -DM_TRIED_SLEEPS -DNO_WATCH
stop   bfs ok          -DNOBJ=2 -DLIMIT_STAYS -DOPS1=3
stop   bfs ok          -DNOBJ=2 -DLIMIT_STAYS -DOPS0=12 -DOPS1=12
stop   bfs ok          -DNOBJ=2 -DNCPU=1
stop   bfs ok          -DNOBJ=2 -DLIMIT_STAYS -DNWORK=1 -DNSTOP=2
stop   bfs ok          -DNOBJ=2 -DNWORK=1
stop   bfs (o!=0)      -DNOBJ=2 -DM_NO_FENCE
stop   bfs (o!=0)      -DNOBJ=2 -DM_FENCE_IGNORED
stop   bfs fenced      -DNOBJ=2 -DM_TABLE_OUTSIDE
stop   bfs (o!=0)      -DNOBJ=2 -DM_TABLE_OUTSIDE -DNO_P2
stop   bfs fenced      -DNOBJ=2 -DM_CPU_OUTSIDE
stop   bfs (o!=0)      -DNOBJ=2 -DM_CPU_OUTSIDE -DNO_P2
stop   bfs w_o!=0      -DNOBJ=2 -DM_COMMIT_FIRST
stop   bfs w_seen      -DNOBJ=2 -DM_FLUSH_CLAIMS
stop   bfs owner[r]    -DNOBJ=2 -DM_STOP_SPLIT -DNSTOP=2
stop   bfs (o!=0)      -DNOBJ=2 -DM_PUBLISH_EARLY
stop   bfs avail[0]    -DNOBJ=2 -DM_DUMMY_ROOM
stop   bfs fenced      -DNOBJ=2 -DM_ALLOC_STAYS
stop   bfs (o!=0)      -DNOBJ=2 -DM_ALLOC_STAYS -DNO_P2
stop   bfs fenced      -DNOBJ=2 -DM_ALLOC_LAST -DNWORK=1 -DNSTOP=2
fork   dfs ok          -DNO_MAKER
fork   dfs ok          -DNCPU=1
fork   dfs !(made[c])  -DNCPU=1 -DM_NO_RECHECK
fork   dfs entry[c]    -DM_FORK_NO_FENCE -DNO_MAKER
fork   dfs end_state   -DM_FORK_NO_NODE -DNO_MAKER
fork   dfs table[c]    -DM_FORK_NO_ARRAY -DNO_MAKER -DNO_ENDS
fork   dfs end_state   -DM_FORK_LATE_ARRAY -DNO_MAKER
fork   dfs end_state   -DM_NODE_FIRST -DNO_MAKER
handover dfs ok        -DNTHREAD=2
handover dfs ok        -DNTHREAD=3
handover dfs ok        -DNTHREAD=3 -DSHARED_LIMIT=2 -DFREE_LIMIT=2
handover dfs ok        -DFREE_LIMIT=0 -DSHARED_LIMIT=0
handover dfs ok        -DNSLAB=3
handover dfs pages_out -DM_RELEASE_LINKED -DNO_AUDIT
handover dfs w_sum     -DM_RELEASE_LINKED
handover dfs live      -DM_SHARED_IS_FREE
handover dfs live      -DM_SHARED_IS_FREE -DNO_AUDIT
handover dfs live      -DM_EMPTY_LATER
handover dfs w_sum     -DM_ADOPT_UNLOCKED
handover dfs free_objects<= -DM_LIMIT_ONCE -DFREE_LIMIT=0 -DSHARED_LIMIT=0
handover dfs locks     -DM_TWO_LOCKS
claim  dfs ok
claim  dfs ok          -DSTRICT_CLAIM -DATOMIC_CLAIM
claim  dfs ok          -DSTRICT_PAGES -DBYTES_NONE -DRELEASE_CHECK
claim  dfs owners      -DSTRICT_FREE
claim  dfs owners      -DSTRICT_CLAIM
claim  dfs owners      -DSTRICT_PAGES
claim  dfs owners      -DSTRICT_PAGES -DBYTES_NONE
claim  dfs owners      -DSTRICT_PAGES -DRELEASE_CHECK
claim  dfs owners      -DM_NO_CLAIM_CHECK
pending dfs ok         -DNSLAB=2
pending dfs ok         -DNSLAB=1 -DNFREE=3
pending dfs (count[0]>0)||  -DM_STATE_FIRST
pending dfs count[     -DM_NEXT_LATE
pending dfs pushing[0] -DM_NO_REQUEUE
pending dfs (count[0]>0)||  -DM_CLEAR
pending dfs pushing[   -DM_PUSH_SPLIT
pending dfs (count[0]>0)||  -DM_OUT_FIRST -DNSLAB=1
CASES
}

# One case in a folder of its own; writes its TAP line into $work/NUMBER.
one() {
	number=$1 model=$2 search=$3 expect=$4
	shift 4
	dir=$work/run$number
	what="$model $expect${*:+ $*}"
	limits=-m2000000
	options="-DSAFETY -DMEMLIM=1024"
	if [ "$search" = bfs ]; then
		options="$options -DBFS"
		limits=
	fi
	case " $* " in
	*" -DNO_ENDS "*) limits="$limits -E" ;;
	esac
	mkdir "$dir"
	cd "$dir" || exit 1
	if ! spin -a "$@" "$here/$model.pml" >spin.out 2>&1 ||
	   ! ${CC:-cc} ${MODEL_CFLAGS:--O0} -w $options -o pan pan.c 2>cc.out; then
		fail "does not compile" spin.out cc.out
		return
	fi
	(ulimit -t 60; exec timeout 600 ./pan -n $limits) >pan.out 2>&1
	status=$?
	states=$(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' pan.out)
	error=$(sed -n 's/^pan:1: //p' pan.out | tr -d ' ' | sed 's/invalidendstate/end_state/')
	if [ $status -ge 124 ]; then
		fail "stopped with status $status: bounds are 60 s of CPU, 600 s in all" pan.out
	elif [ "$expect" = ok ]; then
		if grep -q 'errors: 0' pan.out &&
			! grep -q 'too small\|out of memory\|Search not completed' pan.out; then
			echo "ok $number - $what # $states states" >"$work/$number"
		else
			fail "expected no error" pan.out
		fi
	else
		case $error in
		*"$expect"*) echo "ok $number - $what # found in $states states" >"$work/$number" ;;
		*) fail "expected an error about $expect" pan.out ;;
		esac
	fi
	[ -n "${KEEP:-}" ] || rm -rf "$dir"
}

fail() {
	{
		echo "not ok $number - $what"
		echo "# $1"
		shift
		cat "$@" 2>/dev/null | sed 's/^/# /' | head -40
	} >"$work/$number"
}

if ! command -v spin >/dev/null 2>&1; then
	echo "1..0 # SKIP spin is not installed (Debian: apt-get install spin)"
	exit 0
fi
if ! command -v "${CC:-cc}" >/dev/null 2>&1; then
	echo "1..0 # SKIP no C compiler (set CC)"
	exit 0
fi

# A case on its own: run.sh --case NUMBER MODEL SEARCH OUTCOME [FLAG...]; used below.
if [ "${1:-}" = --case ]; then
	shift
	work=$MODEL_WORK
	one "$@"
	exit 0
fi

work=$(mktemp -d) || exit 1
[ -n "${KEEP:-}" ] && echo "# work folder: $work"
trap '[ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
MODEL_WORK=$work
export MODEL_WORK

cases | grep -e "${1:-.}" | awk '{ print NR, $0 }' >"$work/cases"
total=$(wc -l <"$work/cases")
echo "1..$total"
xargs -P "${MODEL_JOBS:-2}" -L 1 sh "$here/run.sh" --case <"$work/cases"

bad=0
number=1
while [ $number -le "$total" ]; do
	if [ -f "$work/$number" ]; then
		cat "$work/$number"
		grep -q '^ok' "$work/$number" || bad=$((bad + 1))
	else
		echo "not ok $number - did not run"
		bad=$((bad + 1))
	fi
	number=$((number + 1))
done
[ $bad -eq 0 ] || echo "# $bad of $total failed"
[ $bad -eq 0 ]
