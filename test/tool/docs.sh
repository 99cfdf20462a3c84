#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs.sh - what is written about the command is so: its options, its examples, docs/stats.md
. "$(dirname "$0")/lib.bash"
man=$source/man/ashlar.1

# ---- the table of columns feeds three places

expect "docs/stats.md is what the command prints: ashlar help stats.md >docs/stats.md" \
	"$("$ashlar" help stats.md)" "$(cat "$source/docs/stats.md")"
keys=$("$ashlar" help stats.md | sed -nE 's/^\| `([a-z_]+)` \|.*/\1/p' | sort -u)
expect "help columns has every key" "" \
	"$(comm -23 <(echo "$keys") <("$ashlar" help columns | awk '/^  [a-z]/ { print $1 }' | sort -u))"
# Groups are a running program's, see groups.sh.
own=$("$ashlar" help stats.md | sed '/^## Of a group/,/^## .proc/d' |
	sed -nE 's/^\| `([a-z_]+)` \|.*/\1/p' | sort -u)
expect "JSON has every key" "" "$(comm -23 <(echo "$own") <("$ashlar" run -q --json - -- true |
	grep -oE '^ +"[a-z_]+"' | tr -d ' "' | sort -u))"

# ---- the options

for command in run info; do
	expect "$command: every option of --help is in the manual page" "" "$(
		for o in $("$ashlar" $command --help | grep -oE -- '--[a-z]+' | sort -u); do
			sed 's/\\-/-/g' "$man" | grep -q -- "$o\b" || echo "$o"
		done
	)"
done
expect "every option of the manual page exists" "" "$(
	for o in $(sed 's/\\-/-/g' "$man" | grep -E '^\.B[IR]? ' | grep -oE -- '--[a-z]+' | sort -u); do
		"$ashlar" run --help | grep -q -- "$o\b" || "$ashlar" info --help | grep -q -- "$o\b" ||
			echo "$o"
	done
)"
if command -v man >/dev/null && command -v groff >/dev/null; then
	expect "the manual page has no faults" "" "$(man --warnings -E UTF-8 -l "$man" 2>&1 >/dev/null)"
else
	skip "the manual page has no faults" "no man here"
fi

# ---- the examples, one after the other in one shell

sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$man" | sed -n '/^\.EX/,/^\.EE/p' | grep -v '^\.E' |
	sed 's/\\-/-/g' >examples.sh
contains "the manual page has examples" "$(cat examples.sh)" "ashlar run"
[ -f /etc/services ] || sed -i 's,/etc/services,/etc/passwd,' examples.sh
if ! unshare -m true 2>/dev/null; then
	sed -i '/^unshare/d' examples.sh
fi
while IFS= read -r line; do
	echo "$line"
	echo 'status=$?; [ $status -eq 0 ] || echo "FAILED $status" >&3'
done <examples.sh >traced.sh
# pgrep -n takes the newest, and some other test may start one: look below this shell only.
sed -i -e 's/pgrep -n -x sleep/cat sleep.pid/' \
	-e 's/-- sleep 30 &$/-- sh -c "echo \\$\\$ >sleep.pid; exec sleep 30" \&/' traced.sh
(PATH=$build:$PATH timeout 60 bash traced.sh 3>failed >examples.out 2>&1)
expect "the examples run" "" "$(cat failed)"
contains "the examples print what they should: a summary" "$(cat examples.out)" "heap peak"
contains "the examples print what they should: a process" "$(cat examples.out)" "sleep 30"
expect "the examples print what they should: JSON" "sort" "$(python3 -c 'import json
print(json.load(open("figures.json"))["command"][0])')"
[ -f sleep.pid ] && kill "$(cat sleep.pid)" 2>/dev/null
done_testing
