#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# bench_linux.sh - scripts/bench-linux with tools that pretend: what it makes of their answers, what
#                  it says when one fails, and that nothing is built twice
set -u
export LC_ALL=C
root=${ASHLAR_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-test.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
. "$root/test/expect.bash"

# ---- a tree with the scripts, Linux's source and Debian's packages as if unpacked, and the tools

build=$T/tree/build-check
mkdir -p "$T/bin" "$T/tree/scripts" "$T/tree/kernel" "$build/debian-amd64/"{boot,bin,usr/src/linux-headers-6.1-amd64}
cp "$root/scripts/"{bench-linux,guest.py,linux_module.py,debian-unpack} "$T/tree/scripts"
cp -r "$root/kernel/linux" "$T/tree/kernel"
cp -r "$root/src" "$root/test" "$T/tree"
touch "$build/debian-amd64/"{bin/busybox,boot/vmlinuz-6.1-amd64,usr/src/linux-headers-6.1-amd64/Makefile}
echo "amd64 linux-image-amd64 linux-headers-amd64 busybox-static" >"$build/debian-amd64/.unpacked"

# make: writes down what it was asked; the configuration is what was wanted, or as $T/config says;
# fails where $T/make-fails is part of its arguments.
cat >"$T/bin/make" <<SH
#!/bin/sh
echo "\$*" >>"$T/made"
[ -f "$T/make-fails" ] && case "\$*" in *"\$(cat "$T/make-fails")"*) echo "no rule"; exit 2 ;; esac
for word; do
	case \$word in
	O=*) out=\${word#O=} ;;
	M=*) : >"\${word#M=}/ashlar.ko" ;;
	bzImage) mkdir -p "\$out/arch/x86/boot" && : >"\$out/arch/x86/boot/bzImage" ;;
	KCONFIG_ALLCONFIG=*) wanted=\${word#*=} ;;
	esac
done
[ -n "\${wanted-}" ] && grep -v "\$(cat "$T/config" 2>/dev/null || echo ^none)" "\$wanted" >"\$out/.config"
exit 0
SH
# qemu: a guest that measures; Ashlar takes one instruction more in SLOB's boot.
cat >"$T/bin/qemu-system-x86_64" <<SH
#!/bin/sh
[ "\$1" = --version ] && { echo "QEMU pretended"; exit 0; }
echo boot >>"$T/made"
all=\$*
while [ "\$1" != -append ]; do shift; done
echo "Kernel command line: \$2"
cat "$T/guest" 2>/dev/null && exit 0
more=0
echo "guest: begin linux"
case "\$all" in
*/slob-*) more=1 linux=500 ;;
*/slub-*) linux=120 ;;
*) linux=1234 ;;
esac
for what in cache-64-pair kmalloc-100-pair page-pair batch-10000-alloc batch-10000-free \
	refill slab-growth; do
	case "\$all" in
	*-bench.initrd*) printf 'bench: linux %s %s\\nbench: ashlar %s %s\\n' \$what \$linux \$what \$((70 + more)) ;;
	esac
done
case "\$all" in
*-memory.initrd*)
	echo "bench: machine slabs 900"
	echo "bench: machine free 400000"
	for who in linux ashlar; do
		echo "bench: \$who mixed-100000-alloc 300"
		echo "bench: \$who mixed-100000-free 200"
		for when in start 10000 100000 eighth rested freed idle shrunk; do
			echo "bench: \$who asked-\$when 3646"
			echo "bench: \$who held-\$when 4000"
			echo "bench: \$who spare-\$when 16"
		done
	done
	;;
esac
echo "guest: end linux 0"
echo "guest: that was all"
SH
printf '#!/bin/sh\necho "no network"\nexit 100\n' >"$T/bin/apt-get"
chmod +x "$T/bin/"*
export PATH=$T/bin:$PATH

bench() { # ARGUMENT...; what it said is in $said, its last line in $last
	said=$("$T/tree/scripts/bench-linux" "$@" 2>&1)
	status=$?
	last=${said##*$'\n'}
}

# ---- what goes wrong is one line

bench --only slab,nonsense
expect "an unknown system" "2 bench-linux: no system 'nonsense'; systems are: slab slub slob debian" "$status $last"

bench --only slab
expect "no package" "1 bench-linux: no linux-source-6.1 from Debian; the log is $build/bench-linux/package/.apt/log" \
	"$status $last"
expect "no package: the log is there" "no network" "$(cat "$build/bench-linux/package/.apt/log")"

said=$(python3 -c '
import runpy, shutil, sys
usage = shutil.disk_usage("/")._replace(free=100 << 20)
shutil.disk_usage = lambda path: usage
sys.argv = [sys.argv[1], "--only", "slab"]
runpy.run_path(sys.argv[0], run_name="__main__")' "$T/tree/scripts/bench-linux" 2>&1)
expect "no space" "1 bench-linux: the source of Linux needs 1900 MiB of disk; $build/bench-linux has 100" "$? $said"

mkdir -p "$build/bench-linux/linux-source-6.1"
printf 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 99\n' >"$build/bench-linux/linux-source-6.1/Makefile"
touch "$build/bench-linux/linux-source-6.1.complete"

echo allnoconfig >"$T/make-fails"
bench --only slab
expect "no configuration" "1 bench-linux: the configuration of Linux with SLAB failed with 2; the log is \
$build/bench-linux/slab-config.log" "$status $last"
expect "no configuration: the log is there" "no rule" "$(cat "$build/bench-linux/slab-config.log")"

echo bzImage >"$T/make-fails"
bench --only slab
expect "the build fails" "1 bench-linux: the build of Linux with SLAB failed with 2; the log is \
$build/bench-linux/slab-build.log" "$status $last"

echo M= >"$T/make-fails"
bench --only slab
expect "the module fails" "1 bench-linux: the module for SLAB does not build; the log is \
$build/bench-linux/slab-module.log" "$status $last"
rm "$T/make-fails"

echo CONFIG_SLOB >"$T/config"
bench --only slob
expect "an allocator that this Linux has not" "1 bench-linux: this Linux cannot be configured with CONFIG_SLOB=y; see \
$build/bench-linux/slob/.config" "$status $last"
rm "$T/config"

printf 'guest: begin linux\nKernel panic - not syncing\n' >"$T/guest"
bench --only slab
expect "a panic" "1 bench-linux: the guest with SLAB Kernel panic - not syncing; the log is \
$build/bench-linux/slab-bench.log" "$status $last"

printf 'guest: begin linux\nguest: end linux 1\nguest: that was all\n' >"$T/guest"
bench --only slab
expect "a module that is refused" "1 bench-linux: the guest with SLAB did not take the module, \
or not let it go; the log is $build/bench-linux/slab-bench.log" "$status $last"

printf 'guest: begin linux\nbench: linux page-pair 5\nguest: end linux 0\nguest: that was all\n' >"$T/guest"
bench --only slab
contains "a guest that did not measure all" "$last" \
	"did not measure linux cache-64-pair, linux kmalloc-100-pair, linux batch"
rm "$T/guest"

# ---- the table

: >"$T/made"
bench --only slub,slab,slob,debian --out "$T/out"
expect "all goes well" 0 "$status"
narrow=$(tr -s ' ' <<<"$said")
contains "a row for each operation, a column for each system" "$narrow" \
	"| instructions | SLAB | SLUB | SLOB | Ashlar | Debian's SLUB | Ashlar in Debian's |"
contains "one number, or the least and the most" "$narrow" \
	"| \`kmalloc(100)\`, \`kfree\` | 1,234 | 120 | 500 | 70 to 71 | 1,234 | 70 |"
contains "memory, and what was asked for" "$narrow" \
	"| 10,000 objects (3,646 asked for) | 4,000 | 4,000 | 4,000 | 4,000 | 4,000 | 4,000 |"
expect "the terminal's table is the file's" "$(cat "$T/out/table.md")" "$(grep -v '^#' <<<"$said")"
expect "results.tsv" "slob	linux	page-pair	500" "$(grep -P 'slob\tlinux\tpage-pair' "$T/out/results.tsv")"
expect "results.json" "6.1.99 71" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["linux"], d["systems"]["slob"]["ashlar"]["page-pair"])' "$T/out/results.json")"
expect "two trees were built, one was there" "slub slob" \
	"$(sed -n 's/.*O=.*\/\(sl.b\) .*bzImage modules/\1/p' "$T/made" | xargs)"

: >"$T/made"
bench --out "$T/out"
expect "the second time only the modules are built, and nothing boots" "0 4 0" \
	"$status $(grep -c 'M=' "$T/made") $(grep -vc 'M=' "$T/made")"

echo "# changed" >>"$T/tree/kernel/linux/minimal.config"
: >"$T/made"
bench --only slub --out "$T/out"
expect "another configuration is another build" "0 1" "$status $(grep -c bzImage "$T/made")"
expect "one system alone: its column and Ashlar's" "| instructions | SLUB | Ashlar |" \
	"$(head -n 1 "$T/out/table.md" | tr -s ' ')"

echo "1..$n"
exit $bad
