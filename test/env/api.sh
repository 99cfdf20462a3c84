#!/bin/bash
# SPDX-License-Identifier: MIT
#
# api.sh - the promises of malloc and its family, on the C library and on Ashlar
. "$(dirname "$0")/../lib.sh"

compile api api.c

promises() { under "$T/api"; }
xml() {
	under "$T/api" xml >malloc_info.xml || return 1
	if command -v xmllint >/dev/null; then
		xmllint --noout malloc_info.xml
	else
		"$PYTHON" -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' malloc_info.xml
	fi
}
stats() { under "$T/api" stats 2>stats.txt && [ -s stats.txt ]; }

same "the malloc family" promises
same "malloc_info prints XML" xml
same "malloc_stats prints to stderr" stats
tap_done
