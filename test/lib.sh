# SPDX-License-Identifier: MIT
#
# lib.sh - what the shell tests share: TAP output, temporary folder, per-CPU modes
#
# What    A test sources this file, calls the functions below, and ends with tap_done.
# Why     The tests of test/programs and test/env have one shape: do a job with the
#         plain C library, do it again with Ashlar preloaded, and see that nothing
#         but the allocator has changed.
# Needs   Debian 12 packages (a missing one skips its test and says so):
#           redis-server redis-tools sqlite3 python3 libpython3.11-testsuite gcc g++
#           clang clang-tidy libc++-dev libc++abi-dev perl lua5.4 git cmake make
#           stress-ng strace gdb libxml2-utils binutils
# Inputs  ASHLAR_BUILD    the build folder (default: build beside test)
#         ASHLAR_PRELOAD  the library to preload (default: the build folder's
#                         libashlar-malloc.so). "none" preloads nothing: the tests must
#                         then pass as well, apart from those that need our reports,
#                         which proves that they ask for no more than the C library does.
#         MODES          rseq, lock, audit, or options as in ASHLAR_OPTIONS
#         ASHLAR_MODES   the modes to run in, for a library that has not all
#         ASHLAR_TEST    soak: the long form (rounds); some tests have a quick one
# Rules   Nothing is left behind: no file, no process, no changed setting.

set -u
export LC_ALL=C TZ=UTC
unset LD_PRELOAD ASHLAR_OPTIONS GLIBC_TUNABLES MALLOC_ARENA_MAX MALLOC_CHECK_ CDPATH
unset PYTHONPATH PYTHONHOME PYTHONMALLOC

TEST=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$TEST")
HERE=$(cd "$(dirname "$0")" && pwd)
BUILD=${ASHLAR_BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
PRELOAD=${ASHLAR_PRELOAD:-$BUILD/libashlar-malloc.so}
PYTHON=${PYTHON:-/usr/bin/python3}
CC=${CC:-cc}
CXX=${CXX:-c++}
WARN="-Wall -Wextra -Wshadow -Wundef -Wvla"
LIMIT=${LIMIT:-120}		# seconds for one command
MODES=${ASHLAR_MODES:-rseq lock audit}
MODE=plain
tap_count=0
tap_failed=0

T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-test.XXXXXX") || exit 1
tap_cleanup() {
	trap - EXIT
	type at_end >/dev/null 2>&1 && at_end
	cd / && rm -rf "$T"
}
trap tap_cleanup EXIT
trap 'exit 130' INT TERM HUP

# Is Ashlar there to be tested, or do we test the test?
have_ashlar() { [ "$PRELOAD" != none ]; }

if have_ashlar && [ ! -r "$PRELOAD" ]; then
	echo "Bail out! $PRELOAD is missing: build it, or set ASHLAR_PRELOAD=none"
	exit 1
fi

diag() { sed 's/^/# /'; }

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail NAME [FILE...]: the first lines of the files say why
fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	for tap_file; do
		echo "# --- $(basename "$tap_file")"
		head -n 40 "$tap_file" | cut -c1-300 | diag
	done
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

tap_done() {
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}

# need PROGRAM PACKAGE: without the program there is nothing to test
need() {
	command -v "$1" >/dev/null || skip_all "$1 is missing (package $2)"
}

# check NAME COMMAND...: ok if the command succeeds; its output is shown if not
check() {
	tap_name=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then
		pass "$tap_name"
	else
		fail "$tap_name" "$T/check.out"
	fi
}

options_of() {
	case $1 in
	rseq | lock) echo "percpu=$1" ;;
	audit) echo "audit=1" ;;
	*=*) echo "$1" ;;
	*) ;;
	esac
}

# under COMMAND...: run it in the present mode, within LIMIT seconds. EXTRA holds more options.
under() {
	if [ "$MODE" = plain ] || ! have_ashlar; then
		timeout -k 5 "$LIMIT" "$@"
	else
		under_opts=$(options_of "$MODE")
		timeout -k 5 "$LIMIT" env LD_PRELOAD="$PRELOAD" \
			ASHLAR_OPTIONS="$under_opts${EXTRA:+${under_opts:+;}$EXTRA}" "$@"
	fi
}

# job_run MODE JOB...: a job is a shell function that calls "under", run in an empty folder
job_run() {
	MODE=$1
	shift
	rm -rf "$T/run"
	mkdir "$T/run"
	(cd "$T/run" && "$@") >"$T/$MODE.out" 2>"$T/$MODE.err"
	echo "exit $?" >>"$T/$MODE.out"
}

# same NAME JOB...: the job passes plainly, and in each mode prints the same and exits the same
same() {
	same_name=$1
	shift
	tap_start=$EPOCHREALTIME
	job_run plain "$@"
	same_note="# plain $(seconds_since "$tap_start")"
	if [ "$(tail -n 1 "$T/plain.out")" = "exit 0" ]; then
		pass "$same_name: passes with the C library"
	else
		fail "$same_name: passes with the C library" "$T/plain.out" "$T/plain.err"
	fi
	for same_mode in $MODES; do
		tap_start=$EPOCHREALTIME
		job_run "$same_mode" "$@"
		same_note="$same_note, $same_mode $(seconds_since "$tap_start")"
		if ! cmp -s "$T/plain.out" "$T/$same_mode.out"; then
			diff "$T/plain.out" "$T/$same_mode.out" >"$T/diff"
			fail "$same_name: the same under Ashlar, $same_mode" "$T/diff" "$T/$same_mode.err"
		elif grep -q '^ashlar: ' "$T/$same_mode.err"; then
			fail "$same_name: the same under Ashlar, $same_mode" "$T/$same_mode.err"
		else
			pass "$same_name: the same under Ashlar, $same_mode"
		fi
	done
	MODE=plain
	echo "$same_note"
}

seconds_since() {
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'
}

# rounds CHECK SOAK: how often, before a merge and overnight (ASHLAR_TEST)
rounds() {
	if [ "${ASHLAR_TEST-}" = soak ]; then echo "$2"; else echo "$1"; fi
}

# compile OUT SOURCE... FLAGS...: sources without a slash lie beside the test
compile() { compile_with "$CC -std=gnu11" "$@"; }
compile_cxx() { compile_with "$CXX -std=c++17" "$@"; }

compile_with() {
	compile_cmd=$1
	compile_out=$2
	shift 2
	compile_args=()
	for arg; do
		case $arg in
		-* | */*) compile_args+=("$arg") ;;
		*.c | *.cc) compile_args+=("$HERE/$arg") ;;
		*) compile_args+=("$arg") ;;
		esac
	done
	# The allocator's answers must be taken from the allocator, not guessed by the compiler.
	if ! $compile_cmd $WARN -O2 -g -fno-builtin -I"$TEST" -I"$ROOT/include" -o "$T/$compile_out" \
		"${compile_args[@]}" >"$T/compile.log" 2>&1; then
		echo "Bail out! $compile_out does not compile"
		diag <"$T/compile.log"
		exit 1
	fi
}
