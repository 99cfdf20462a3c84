#!/bin/bash
# SPDX-License-Identifier: MIT
#
# stacks.sh - options that need stacks leave a program its arguments and its environment
#
# What    Stacks need libgcc, which is loaded before libc has started; libc must not start with
#         what it knows then, which is nothing.
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "they are options of Ashlar's"
MODE=rseq
the_same_environment() {
	env -u LD_PRELOAD -u ASHLAR_OPTIONS env | grep -v '^_=' | sort >"$T/env.want"
	under env | grep -v '^_=\|^LD_PRELOAD=\|^ASHLAR_OPTIONS=' | sort >"$T/env.got"
	diff "$T/env.want" "$T/env.got"
}
compile plugin_args.so plugin_args.c -shared -fPIC
compile plugin_host plugin_host.c -ldl
"$T/plugin_host" "$T/plugin_args.so" two three >"$T/plain"
check "a plugin's constructor is told the arguments" grep -q "^4 arguments, the last is three," "$T/plain"
for EXTRA in "slab_debug=U" "slab_debug=T,kmalloc-8k" "guard=1000"; do
	check "a program keeps its environment, $EXTRA" the_same_environment
	under cat "$T/none" >"$T/out" 2>"$T/err"
	check "and its name, $EXTRA" grep -q "^cat: $T/none:" "$T/err"
	under "$T/plugin_host" "$T/plugin_args.so" two three >"$T/out"
	check "and so do libraries that it loads later, $EXTRA" diff "$T/plain" "$T/out"
done
tap_done
