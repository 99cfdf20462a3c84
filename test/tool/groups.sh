#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# groups.sh - ashlar info shows who pays for memory, of a live process and of a core file
#
# On both engines: an object of 1,024 bytes costs a pointer more on slabs, and on slob its block.
. "$(dirname "$0")/lib.bash"
[ -f "$build/libashlar.so" ] || { echo "1..0 # SKIP this build has no shared library"; exit 0; }

cat >groups.c <<'C'
#include <ashlar/account.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct ashlar_group *top = ashlar_group_create("all users", NULL, 0);
	struct ashlar_group *g = ashlar_group_create("user 1", top, 100000);
	int i;
	ashlar_group_set_default(g);
	for (i = 0; i < 100; i++)
		kmalloc(1024, GFP_KERNEL_ACCOUNT);
	puts("ready");
	fflush(stdout);
	if (argc > 1)
		abort();
	pause();
}
C
figures() { # JSON of the process on standard input
	python3 -c '
import json, sys
for g in json.load(sys.stdin)["groups"]:
    print(g["name"], g["charged"], g["charged_peak"], g["charged_limit"], g["charged_objects"],
          g["charges_refused"])'
}
look() { # ENGINE LIBRARY CHARGED KIB
	local want live said core

	compile "groups$1" -I "$source/include" -L "$build" "-l$2" -Wl,-rpath,"$build" <groups.c
	expect "$1: its program compiles" "" "$(cat "groups$1.log")"
	want="all users $3 $3 0 96 0
user 1 $3 $3 100000 96 4"
	"./groups$1" >"groups$1.out" 2>&1 &
	live=$!
	children="$children $live"
	wait_for grep -q ready "groups$1.out"
	expect "$1, live: each group, as JSON" "$want" "$("$ashlar" info "$live" --json | figures)"
	said=$("$ashlar" info "$live")
	expect "$1, live: a table of groups" "group charged peak limit objects refused" \
		"$(grep -E '^  group ' <<<"$said" | xargs)"
	expect "$1, live: its lines" "user 1 $4 KiB $4 KiB 97.7 KiB 96 4" \
		"$(grep -E '^  user 1 ' <<<"$said" | xargs)"
	ulimit -c unlimited
	rm -f core*
	bash -c "./groups$1 abort; :" >/dev/null 2>&1
	core=$(find . -name 'core*' -type f | head -n 1)
	if [ -n "$core" ]; then
		expect "$1, core: the same" "$want" "$("$ashlar" info "$core" --json | figures)"
	else
		skip "$1, core: the same" "this system keeps no core files here"
	fi
}
look slab ashlar 99072 96.8
look slob ashlar-slob 99840 97.5
expect "a record has none" "[]" "$("$ashlar" run -q --json - -- true |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["processes"][0]["groups"])')"
done_testing
