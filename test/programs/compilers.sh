#!/bin/bash
# SPDX-License-Identifier: MIT
#
# compilers.sh - gcc and clang on large generated files
#
# What    The objects and the assembly are compared bit by bit.
# Why     A compiler allocates hundreds of MiB in small nodes and trees of all sizes.
# Length  soak: files of twice the size.
. "$(dirname "$0")/../lib.sh"

functions=$(rounds 60 120)
generate_c() {
	awk -v functions="$functions" 'BEGIN {
		print "#include <stddef.h>\n#include <string.h>\nstruct node { struct node *l, *r; long v[4]; };"
		for (i = 0; i < functions; i++) {
			printf "static long f%d(struct node *n, long x)\n{\n\tlong s = %d;\n", i, i * 7
			printf "\tfor (long i = 0; i < x; i++) {\n\t\tswitch ((s + i) %% 7) {\n"
			for (k = 0; k < 6; k++)
				printf "\t\tcase %d: s += n->v[%d] * %d + (n->l ? n->l->v[i & 3] : %d); break;\n",
					k, k % 4, i + k, k * i
			printf "\t\tdefault: s ^= x << %d; n = n->r ? n->r : n;\n\t\t}\n\t}\n", i % 30
			if (i)
				printf "\treturn s + f%d(n, s & %d);\n}\n", i * 7 % i, i
			else
				printf "\treturn s;\n}\n"
		}
		print "long entry(struct node *n, long x)\n{\n\tlong s = 0;"
		for (i = 0; i < functions; i++)
			printf "\ts += f%d(n, x + %d);\n", i, i
		print "\treturn s;\n}"
	}'
}

generate_cxx() {
	awk -v functions=$((functions / 10)) 'BEGIN {
		print "#include <algorithm>\n#include <functional>\n#include <map>"
		print "#include <string>\n#include <tuple>\n#include <variant>\n#include <vector>"
		print "template <int N> struct fib { static constexpr long v = fib<N - 1>::v + fib<N - 2>::v; };"
		print "template <> struct fib<0> { static constexpr long v = 0; };"
		print "template <> struct fib<1> { static constexpr long v = 1; };"
		for (i = 0; i < functions; i++) {
			printf "struct k%d { int x; bool operator<(const k%d &o) const { return x < o.x; } };\n", i, i
			printf "long g%d(std::map<k%d, std::vector<std::string>> &m, int n)\n{\n", i, i
			printf "\tstd::variant<int, std::string, std::tuple<k%d, double>> v = n;\n", i
			printf "\tm[k%d{n}].push_back(std::to_string(fib<%d>::v));\n", i, 20 + i
			printf "\tstd::function<long(int)> h = [&](int q) { return (long)m.size() * q; };\n"
			printf "\treturn h(n) + (long)v.index();\n}\n"
		}
	}'
}
generate_c >"$T/large.c"
generate_cxx >"$T/large.cc"

compile_c() {
	cp "$T/large.c" .
	under "$1" -std=gnu11 -O1 -g -c large.c -o large.o && under "$1" -std=gnu11 -S large.c -o large.s
	status=$?
	sha256sum large.o large.s
	return $status
}

compile_templates() {
	cp "$T/large.cc" .
	under "$1" -std=c++17 -O1 -c large.cc -o large.o
	status=$?
	sha256sum large.o
	return $status
}

for compiler in gcc clang; do
	if command -v $compiler >/dev/null; then
		same "$compiler on a large C file" compile_c $compiler
	else
		skip "$compiler on a large C file" "$compiler is missing"
	fi
done
for compiler in g++ clang++; do
	if command -v $compiler >/dev/null; then
		same "$compiler on templates" compile_templates $compiler
	else
		skip "$compiler on templates" "$compiler is missing"
	fi
done
tap_done
