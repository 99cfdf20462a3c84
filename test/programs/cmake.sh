#!/bin/bash
# SPDX-License-Identifier: MIT
#
# cmake.sh - cmake and make on a small project, and clang-tidy on a C++ file
#
# What    Large C++ programs, one of which starts many processes.
. "$(dirname "$0")/../lib.sh"

project() {
	cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(small C CXX)
include(CheckIncludeFile)
include(CheckFunctionExists)
find_package(Threads REQUIRED)
check_include_file(stdlib.h HAVE_STDLIB_H)
check_function_exists(malloc HAVE_MALLOC)
foreach(i RANGE 1 200)
  list(APPEND numbers ${i})
  set(v${i} "value ${i}")
  string(REGEX REPLACE "v([a-z]+)" "\\1-\\1" out "${v${i}}")
endforeach()
add_library(part STATIC part.cc)
add_executable(small main.c)
target_link_libraries(small part Threads::Threads)
message(STATUS "last: ${out} ${HAVE_STDLIB_H} ${HAVE_MALLOC}")
END
	cat >part.cc <<'END'
#include <map>
#include <string>
#include <vector>
extern "C" long part(int n)
{
	std::map<std::string, std::vector<int>> m;
	for (int i = 0; i < n; i++)
		m[std::to_string(i * 7919 % 1009)].push_back(i);
	long s = 0;
	for (auto &e : m)
		s += (long)e.first.size() * (long)e.second.size();
	return s;
}
END
	cat >main.c <<'END'
#include <stdio.h>
long part(int n);
int main(void)
{
	printf("%ld\n", part(20000));
	return 0;
}
END
}

configure_and_build() {
	project
	under cmake -S . -B out >log 2>&1 || { cat log; return 1; }
	grep -E 'last:|Found|Looking for' log
	under cmake --build out -j 2 >log 2>&1 || { cat log; return 1; }
	under out/small
}

tidy() {
	project
	under clang-tidy --quiet -checks='-*,bugprone-*,modernize-*,performance-*' part.cc -- -std=c++17 2>/dev/null
}

if command -v cmake >/dev/null && command -v make >/dev/null; then
	same "cmake" configure_and_build
else
	skip "cmake" "cmake or make is missing"
fi
if command -v clang-tidy >/dev/null; then
	same "clang-tidy" tidy
else
	skip "clang-tidy" "clang-tidy is missing"
fi
tap_done
