# SPDX-License-Identifier: MIT
#
# expect.bash - TAP lines of tests that compare texts; $n counts them, $bad is 1 after a failure
n=0
bad=0

expect() { # NAME WANTED FOUND
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=1
		printf 'wanted:\n%s\nfound:\n%s\n' "$2" "$3" | sed 's/^/# /'
		echo "not ok $n - $1"
	fi
}

contains() { # NAME TEXT PART
	case $2 in *"$3"*) expect "$1" yes yes ;; *) expect "$1" "...$3..." "$2" ;; esac
}
