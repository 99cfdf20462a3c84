#!/bin/bash
# SPDX-License-Identifier: MIT
#
# python.sh - a good part of Python's own test suite
#
# What    Each test's name and outcome are compared; times are not.
# Why     Thousands of small programs: threads, processes, garbage collection, C modules.
#         PYTHONMALLOC=malloc sends every object to malloc, also those that Python would
#         cut from its own pools.
# Length  soak: all of TESTS in each mode. Else without LONG and SLOW, which compute or wait and
#         allocate nothing that others do not; and after the first mode a quarter, the most various.
. "$(dirname "$0")/../lib.sh"
need "$PYTHON" python3
"$PYTHON" -c 'import test.test_dict' 2>/dev/null || skip_all "package libpython3.11-testsuite is missing"

TESTS="test_dict test_list test_set test_tuple test_bytes test_array test_struct test_memoryview
	test_unicode test_json test_re test_collections test_deque test_itertools test_functools
	test_heapq test_sort test_gc test_weakref test_generators test_coroutines test_exceptions
	test_descr test_zlib test_ctypes test_threading test_thread test_contextlib test_memoryio
	test_csv test_copy test_dataclasses test_xml_etree test_xml_etree_c test_pyexpat test_fork1
	test_mmap test_posix"
LONG="test_string test_bisect test_class test_scope test_datetime test_decimal test_fractions test_long
	test_float test_complex test_hashlib test_dis test_enum"
SLOW="test_threaded_weak_*copy test_hash_effectiveness test_find_periodic_pattern test_trashcan_threads"

# The names and outcomes of all tests, out of the report of the run
outcomes() {
	"$PYTHON" - "$1" <<'END'
import sys
import xml.etree.ElementTree as tree

rows = []
for case in tree.parse(sys.argv[1]).iter("testcase"):
    bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    rows.append(f"{case.get('name')} {case.get('status')} {case.get('result')} {' '.join(bad)}")
print("\n".join(sorted(rows)))
print(len(rows), "tests")
END
}

job() {
	LIMIT=400 under env PYTHONMALLOC=malloc "$PYTHON" -m test -j2 --timeout 120 \
		--junit-xml report.xml "${without[@]}" $TESTS >log 2>&1
	status=$?
	tail -n 30 log >&2
	grep -a '^ashlar: ' log
	outcomes "$PWD/report.xml"
	return $status
}

without=()
if [ "${ASHLAR_TEST-}" = soak ]; then
	TESTS="$TESTS $LONG"
	same "Python's own tests" job
	tap_done
fi
for name in $SLOW; do without+=(--ignore "$name"); done
all_modes=$MODES
MODES=${all_modes%% *}
[ "$MODES" = "$all_modes" ] || same "Python's own tests" job
TESTS="test_dict test_bytes test_re test_collections test_deque test_gc test_generators test_descr
	test_ctypes test_thread test_zlib test_xml_etree_c"
MODES=${all_modes#* }
same "some of Python's own tests" job
tap_done
