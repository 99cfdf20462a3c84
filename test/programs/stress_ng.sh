#!/bin/bash
# SPDX-License-Identifier: MIT
#
# stress_ng.sh - stress-ng's malloc stressor, which verifies what it wrote
#
# Length  soak: three times the touched blocks, and trees of stress-ng's usual size.
. "$(dirname "$0")/../lib.sh"
need stress-ng stress-ng

threads() {
	under stress-ng --malloc 2 --malloc-pthreads 2 --malloc-ops 20000 --malloc-bytes 1M \
		--malloc-max 4096 --verify --timeout 60 >&2
}

zeroed() {
	under stress-ng --malloc 2 --malloc-ops "$(rounds 600 2000)" --malloc-bytes 16M --malloc-touch \
		--malloc-max 512 --malloc-thresh 64K --verify --timeout 60 >&2
}

structures() {
	under stress-ng --tree 1 --tree-ops 1 --tree-size "$(rounds 80000 250000)" --list 1 --list-ops 1 \
		--hsearch 1 --hsearch-ops 20 --tsearch 1 --tsearch-ops "$(rounds 4 10)" --lsearch 1 --lsearch-ops 1 \
		--verify --timeout 60 >&2
}

same "stress-ng malloc, threads" threads
same "stress-ng malloc, touched" zeroed
same "stress-ng trees, lists and tables" structures
tap_done
