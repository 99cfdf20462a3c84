# SPDX-License-Identifier: MIT
#
# lib.bash - what the tests of the command share: TAP, a temporary folder, small programs
set -u
export LC_ALL=C
build=${ASHLAR_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
source=${ASHLAR_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ashlar=$build/ashlar
T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-test.XXXXXX") || exit 1
chmod 755 "$T" # another user runs programs in it, too
cd "$T" || exit 1
unset ASHLAR_OPTIONS LD_PRELOAD
children=""
. "$source/test/expect.bash"

finish() {
	# shellcheck disable=SC2086
	[ -n "$children" ] && disown -a && kill -KILL $children 2>/dev/null
	rm -rf "$T"
}
trap finish EXIT

lacks() { # NAME TEXT PART
	case $2 in *"$3"*) expect "$1" "without: $3" "$2" ;; *) expect "$1" yes yes ;; esac
}

skip() { # NAME WHY
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

done_testing() {
	echo "1..$n"
	exit $bad
}

# compile NAME [OPTIONS]: the program on standard input
compile() {
	local name=$1
	shift
	cc -O1 -w -x c - -o "$name" "$@" 2>"$name.log"
}

# wait_for COMMAND...: until it is true, at most ten seconds
wait_for() {
	local i
	for i in $(seq 100); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}
