#!/bin/bash
# SPDX-License-Identifier: MIT
#
# cxx.sh - operator new and delete: exceptions, new-handlers, plugins, libstdc++ and libc++
. "$(dirname "$0")/../lib.sh"

compile_cxx cxx cxx.cc -ldl -rdynamic
compile_cxx plugin.so cxx.cc -DPLUGIN -shared -fPIC
compile cxx_host cxx_host.c -ldl

program() { under "$T/cxx" "$T/plugin.so"; }
c_program() { under "$T/cxx_host" "$T/plugin.so"; }
program_libcxx() { under "$T/cxx_libcxx" "$T/plugin_libcxx.so"; }
c_program_libcxx() { under "$T/cxx_host" "$T/plugin_libcxx.so"; }

same "C++ with libstdc++" program
same "a C++ plugin in a C program" c_program
if command -v clang++ >/dev/null &&
	echo '#include <map>' | clang++ -stdlib=libc++ -x c++ -shared -fPIC -o "$T/try" - 2>/dev/null; then
	compile_with "clang++ -std=c++17 -stdlib=libc++ -faligned-allocation -fsized-deallocation" \
		cxx_libcxx cxx.cc -ldl -rdynamic
	compile_with "clang++ -std=c++17 -stdlib=libc++ -fsized-deallocation" \
		plugin_libcxx.so cxx.cc -DPLUGIN -shared -fPIC
	same "C++ with libc++" program_libcxx
	same "a libc++ plugin in a C program" c_program_libcxx
else
	skip "C++ with libc++" "clang++ or libc++-dev is missing"
fi
for f in "$T"/*.out; do
	grep ': no$' "$f" | grep -v '^C++ library in a C program'
done >"$T/no"
check "every answer is yes" test ! -s "$T/no"
tap_done
