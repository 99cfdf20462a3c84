#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# zones.sh - ashlar info --zoneinfo, --buddyinfo and the zones in --json
. "$(dirname "$0")/lib.bash"

compile pages -I "$source/include" -L "$build" -lashlar-malloc -Wl,-rpath,"$build" <<'C'
#include <ashlar/mm.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	for (int i = 0; i < 300; i++)
		if (!alloc_pages(GFP_KERNEL, i % 3))
			return 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
C
expect "the program compiles" "" "$(head -n 5 pages.log)"
ASHLAR_OPTIONS=fake_numa=2 ./pages >out 2>&1 &
pid=$!
children="$children $pid"
wait_for grep -q ready out

"$ashlar" info $pid --zoneinfo >zoneinfo
"$ashlar" info $pid --buddyinfo >buddyinfo
"$ashlar" info $pid --json >json
expect "a zone for each node" "Node 0, zone   Normal
Node 1, zone   Normal" "$(grep ^Node zoneinfo)"
expect "twelve orders" "12 12" "$(awk '{ printf "%s%d", sep, NF - 4; sep = " " }' buddyinfo)"
expect "free blocks are the free pages" "$(awk '$2 == "free" { print $3 }' zoneinfo)" \
	"$(awk '{ sum = 0; for (i = 5; i <= NF; i++) sum += $i * 2 ^ (i - 5); print sum }' buddyinfo)"
expect "watermarks rise, figures fit" "" "$(awk '
	$1 == "pages" { free = $3 }
	$1 != "pages" { of[$1] = $2 }
	$1 == "managed" && !(of["min"] <= of["low"] && of["low"] <= of["high"] &&
			     free <= $2 && $2 <= of["spanned"]) { print "wrong" }' zoneinfo)"
expect "nodes have what was handed out" "yes" "$(awk '
	$1 == "pages" { free = $3 } $1 == "managed" { used += $2 - free }
	END { print (used >= 600 ? "yes" : "no: " used) }' zoneinfo)"
expect "the same in JSON" "$(awk '$1 == "managed" { print $2 }' zoneinfo)" \
	"$(python3 -c '
import json, sys
for zone in json.load(open("json"))["zones"]:
    assert sum(n << o for o, n in enumerate(zone["free_blocks"])) == zone["free_pages"]
    print(zone["managed_pages"])')"
done_testing
