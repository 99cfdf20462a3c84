#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# boot.sh - kernel/boot.py can say no: each console that is no pass, and planted errors
set -u
export LC_ALL=C
root=${ASHLAR_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-test.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
. "$root/test/expect.bash"

# call WHAT: what a function of boot.py answers; end is the closing line
call() {
	(cd "$root/kernel" && python3 -B -c "
import boot
end = boot.CLOSING + '\n'
print($1)")
}

expect "a pass" "(2, 0, 1, None)" \
	"$(call "boot.judge(33, '1..3\nok 1 - a\nok 2 - b\nok 3 - c # SKIP d\n' + end, False)")"
expect "a plan of nothing is a failure" \
	"(0, 1, 0, 'no test passed: 0 skipped, of a plan of 0')" \
	"$(call "boot.judge(33, '1..0 # SKIP no such case\n' + end, False)")"
expect "so is one of which all is skipped" \
	"(0, 1, 1, 'no test passed: 1 skipped, of a plan of 1')" \
	"$(call "boot.judge(33, '1..1\nok 1 - a # SKIP b\n' + end, False)")"
expect "a hang says after how long" "(1, 1, 0, 'no end within 10 seconds')" \
	"$(call "boot.judge(None, '1..2\nok 1 - a\n', False, 10)")"
expect "the limit of a planted hang" "5 300" \
	"$(call "boot.limit_of(('', '', '', 'test=plant plant=hang', '')), boot.limit_of(('', '', '', 'seed=1', ''))" |
		tr -d '(),')"
expect "a failed case" "(1, 1, 0, '1 tests failed')" \
	"$(call "boot.judge(35, '1..2\nok 1 - a\nnot ok 2 - b\n', False)")"
expect "a triple fault" "(1, 1, 0, 'exit status 0, not 33')" \
	"$(call "boot.judge(0, '1..1\nok 1 - a\n', False)")"
expect "no closing line" "(1, 1, 0, 'the closing line is missing')" \
	"$(call "boot.judge(33, '1..1\nok 1 - a\n', False)")"
expect "a result too few" "(1, 1, 0, '1 results for a plan of 2')" \
	"$(call "boot.judge(33, '1..2\nok 1 - a\n' + end, False)")"
expect "no plan" "(1, 1, 0, '1 results for a plan of None')" \
	"$(call "boot.judge(33, 'ok 1 - a\n' + end, False)")"

expect "a planted error that is found in what is wrong" "(1, 0, 0, None)" \
	"$(call "boot.judge_planted('no end within', 'no end within 10 seconds', 'x\n')")"
expect "one whose report is on the console" "(1, 0, 0, None)" \
	"$(call "boot.judge_planted('double free', 'exit status 1, not 33', 'x\nashlar: kfree(1): double free: y\n')")"
expect "its words in another line are no report" "(0, 1, 0)" \
	"$(call "boot.judge_planted('within', 'exit status 1, not 33', '# 2 within 3\n')[:3]")"
expect "a machine that passes found nothing" "(0, 1, 0)" \
	"$(call "boot.judge_planted('double free', None, 'ashlar: kfree(1): double free: y\n')[:3]")"

expect "a name that no machine has is said" \
	"FAIL: no machine of x86_64 has 'nosuch' in its name 1" \
	"$(echo "$("$root/kernel/boot.py" --out "$T" --only nosuch x86_64; echo $?)" | tr '\n' ' ' | sed 's/ $//')"

echo "1..$n"
exit $bad
