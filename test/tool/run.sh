#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# run.sh - ashlar run: nobody notices it between, and what it says at the end
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.bash"

# ---- it passes everything through

expect "output and arguments" "a b|c" "$("$ashlar" run -- printf '%s|%s' 'a b' c 2>/dev/null)"
expect "standard input" "in" "$(echo in | "$ashlar" run --quiet -- cat)"
"$ashlar" run --quiet -- sh -c 'exit 7'
expect "exit status" 7 $?
expect "it ends by the signal that ended the program" -15 \
	"$(python3 -c 'import subprocess,sys
print(subprocess.run([sys.argv[1], "run", "--quiet", "--", "sh", "-c", "kill -TERM $$"]).returncode)' "$ashlar")"
expect "options may end without --" "x" "$("$ashlar" run -q echo x)"

cat >signals.sh <<'SH'
trap 'echo usr1' USR1
trap 'echo winch' WINCH
trap 'echo term; exit 4' TERM
echo ready
while :; do sleep 0.05; done
SH
"$ashlar" run --quiet -- sh signals.sh >signals.out &
run=$!
children=$run
wait_for grep -q ready signals.out
for s in USR1 WINCH TERM; do
	kill -s $s $run
	sleep 0.3
done
wait $run
expect "signals: the exit status after one" 4 $?
expect "signals: they arrive" "ready usr1 winch term" "$(paste -sd' ' signals.out)"

cat >terminal.py <<'PY'
# Press ^C on a terminal; the program counts how often it is interrupted.
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "run", "--quiet", "--", sys.executable, "-u", "-c", """
import signal, time
count = 0
def handle(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, handle)
print("ready")
end = time.time() + 1.5
while time.time() < end:
    time.sleep(0.05)
print("count", count)
"""])
text, pressed, end = b"", False, time.time() + 30
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            piece = os.read(fd, 1000)
        except OSError:
            break
        if not piece:
            break
        text += piece
    if b"ready" in text and not pressed:
        os.write(fd, b"\x03")
        pressed = True
os.waitpid(pid, 0)
print(text.decode().split("count")[-1].strip())
PY
expect "signals: the terminal's ^C arrives once" 1 "$(python3 terminal.py "$ashlar")"
expect "signals: what was ignored stays ignored" "1" \
	"$(sh -c 'trap "" HUP; "$0" run --quiet -- grep SigIgn /proc/self/status' "$ashlar" |
		awk '{ print substr($2, length($2)) % 2 }')"
expect "signals: nothing is blocked" "0000000000000000" \
	"$("$ashlar" run --quiet -- awk '/SigBlk/ { print $2 }' /proc/self/status)"

expect "LD_PRELOAD that was there stays, behind" "libashlar-malloc:/nowhere/x.so" \
	"$(LD_PRELOAD=/nowhere/x.so "$ashlar" run -q -- sh -c 'echo $LD_PRELOAD' 2>/dev/null |
		sed -E 's,^[^:]*/(libashlar-malloc)[^:]*,\1,')"
contains "ASHLAR_OPTIONS that was there stays, --set comes after it" \
	"$(ASHLAR_OPTIONS='keep=1m' "$ashlar" run -q --set limit=1g -- sh -c 'echo $ASHLAR_OPTIONS')" \
	"keep=1m;limit=1g;report="

# ---- what it says

compile blocks <<'C'
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	int i, n = 2000;
	if (argc > 1 && fork() == 0) {
		for (i = 0; i < 50; i++)
			memset(malloc(1 << 20), 1, 1 << 20);
		if (argv[1][0] == '_')
			_exit(0);
		exit(0);
	}
	wait(0);
	for (i = 0; i < n; i++)
		memset(malloc(5000), 1, 5000);
	return 0;
}
C
said=$("$ashlar" run -- ./blocks 2>&1 >/dev/null)
contains "summary: the program" "$said" "ashlar: ./blocks"
contains "summary: how it ended" "$said" "exit status 0 after"
contains "summary: the biggest cache, with what is live" "$said" "kmalloc-5k"
contains "summary: the number of its objects" "$said" "2,000"
lacks "summary: no bad events" "$said" "bad events"
lacks "summary: no colours in a file" "$said" $'\033'
expect "quiet: nothing is said" "" "$("$ashlar" run -q -- ./blocks 2>&1)"
said=$("$ashlar" run -- ./blocks child 2>&1)
contains "summary: a descendant" "$said" "one other process"
said=$("$ashlar" run -- ./blocks _exit 2>&1)
contains "summary: one that left by _exit" "$said" "one other process"
contains "summary: its peak" "$(grep -A1 'one other' <<<"$said")" "5"

compile double <<'C'
#include <stdlib.h>
int main(void)
{
	char *volatile p = malloc(10);
	free(p);
	free(p);
	return 0;
}
C
said=$("$ashlar" run -- ./double 2>&1 | sed -n '/^ashlar: .\/double/,$p')
contains "summary: a bad event ended it" "$said" "killed by signal 6"
contains "summary: the bad event" "$said" "double free: this object of kmalloc-16"
said=$("$ashlar" run -- sh -c 'for i in 1 2 3 4 5 6 7; do ./blocks; done; ./double; true' 2>&1 |
	sed -n '/^ashlar: sh/,$p')
contains "summary: a small descendant that was misused" "$said" "double free: this object of kmalloc-16"
contains "summary: it is named before the larger ones" "$(grep -A1 'other processes' <<<"$said")" " ./double "
contains "summary: the rest is counted" "$said" "and 3 more"
contains "summary: the audit" "$("$ashlar" run --audit -- ./blocks 2>&1)" "every rule holds"
said=$("$ashlar" run -- sh -c 'kill -KILL $$' 2>&1)
contains "summary: killed" "$said" "no figures: a process that a signal kills leaves none"

# ---- files

"$ashlar" run -q --slabinfo slabinfo --json json -- ./blocks child
expect "slabinfo: the version" "slabinfo - version: 2.1" "$(head -n 1 slabinfo)"
expect "slabinfo: all rows have 16 words" "" "$(sed 1,2d slabinfo | awk 'NF != 16')"
expect "slabinfo: the objects" "2000" "$(awk '$1 == "kmalloc-5k" { print ($2 >= 2000) * 2000 }' slabinfo)"
expect "json: processes, objects in use, exit status" "2 2000 0" "$(python3 -c 'import json
j = json.load(open("json"))
main = [p for p in j["processes"] if p["pid"] == j["pid"]][0]
print(len(j["processes"]), [c["used"] for c in main["caches"] if c["name"] == "kmalloc-5k"][0], j["exit"])')"
expect "a file that cannot be written is told before the program runs" \
	"1 ashlar: run: nowhere/x: No such file or directory" "$(
	for option in json slabinfo; do
		said=$("$ashlar" run --$option nowhere/x -- sh -c 'echo it ran' 2>&1) || echo "$? $said"
	done | sort -u
)"
# More than a buffer, and less: the error comes while it is written, or at the end.
for option in json slabinfo; do
	expect "$option: a full disk is told" "ashlar: /dev/full: No space left on device" \
		"$("$ashlar" run -q --$option /dev/full -- ./blocks child 2>&1)"
done
for option in json slabinfo; do
	"$ashlar" run -q --$option /dev/full -- true 2>/dev/null
	expect "$option: a full disk is an exit status of 1" 1 $?
	"$ashlar" run -q --$option /dev/full -- sh -c 'exit 7' 2>/dev/null
	expect "$option: a full disk does not hide the program's own" 7 $?
	said=$("$ashlar" run --$option -- true 2>&1)
	expect "$option: -- is no file" "2 ashlar: run: --$option needs a name before --; ./-- is a file of that name" \
		"$? $said"
done
expect "no file is called --" "" "$(find . -name --)"
said=$("$ashlar" run --set =5 -- true 2>&1)
expect "set: a name is needed" "2 ashlar: run: --set '=5': which option? --set NAME=VALUE" "$? $said"
expect "json: standard output" "ok" \
	"$("$ashlar" run -q --json - -- true | python3 -c 'import json,sys; json.load(sys.stdin); print("ok")')"
"$ashlar" run -q --keep kept -- ./blocks child
expect "keep: a record for each process" 2 "$(ls kept | wc -l)"
mkdir tmp
TMPDIR=$T/tmp "$ashlar" run -q -- ./blocks
expect "nothing is left behind" "" "$(ls tmp)"

# Records that are none: whoever knows the folder may write into it.
TMPDIR=$T/tmp "$ashlar" run --json - -- python3 -c '
import glob, os, random
folder = os.environ["ASHLAR_OPTIONS"].split("report=")[1]
random.seed(1)
good = open(glob.glob("'"$T"'/kept/*")[0], "rb").read()
for i in range(300):
    b = bytearray(good)
    for _ in range(random.choice([1, 10, 1000])):
        b[random.randrange(len(b))] = random.choice([0, 255, random.randrange(256)])
    open(f"{folder}/{i}.1", "wb").write(bytes(b[:random.choice([len(b), random.randrange(len(b))])]))
os.mkfifo(folder + "/pipe")
os.symlink("/dev/zero", folder + "/zero")
' >damaged.json 2>damaged.err
expect "damaged records do no harm" 0 $?
expect "damaged records: JSON is still JSON" ok \
	"$(python3 -c 'import json; json.load(open("damaged.json")); print("ok")')"

# ---- programs that Ashlar cannot serve

said=$("$ashlar" run -- ./nowhere 2>&1)
expect "not found: the status" 127 $?
expect "not found: said" "ashlar: ./nowhere: not found" "$said"
said=$("$ashlar" run -- no-such-program 2>&1)
expect "not found in PATH: the status" 127 $?
echo 'text' >plain
said=$("$ashlar" run -- ./plain 2>&1)
expect "not executable: the status" 126 $?
expect "not executable: said" "ashlar: ./plain: cannot be executed: Permission denied" "$said"
expect "a directory" "126 ashlar: /tmp: is a directory" "$(
	said=$("$ashlar" run -- /tmp 2>&1)
	echo "$? $said"
)"

echo 'int main(void) { return 5; }' >five.c
if cc -static five.c -o static 2>/dev/null; then
	said=$("$ashlar" run -- ./static 2>&1)
	expect "static: it runs" 5 $?
	contains "static: said before" "$said" "ashlar: ./static: is a static program"
	contains "static: said after" "$said" "no figures: the program is static"
	printf '#!%s/static\n' "$T" >script && chmod +x script
	contains "a script's interpreter is looked at" "$("$ashlar" run -- ./script 2>&1)" \
		"ashlar: ./script: is a static program"
	cc -static-pie five.c -o static-pie
	said=$("$ashlar" run -- ./static-pie 2>&1)
	expect "static, at any address: it runs" 5 $?
	contains "static, at any address: said before" "$said" "ashlar: ./static-pie: is a static program"
	# The loader, too, names no interpreter; but what it loads is served.
	loader=$(ldd "$ashlar" | sed -nE 's,^[^/]*(/[^ ]*ld-linux[^ ]*) .*,\1,p')
	contains "the loader itself serves" "$("$ashlar" run -- "$loader" ./blocks 2>&1)" "kmalloc-5k"
else
	skip "static" "no static C library"
fi

compile own <<'C'
#include <stddef.h>
static char pool[1 << 22];
static size_t used;
void *malloc(size_t n) { void *p = pool + used; used += (n + 15) & ~15ul; return p; }
void free(void *p) {}
void *calloc(size_t n, size_t m) { return malloc(n * m); }
void *realloc(void *p, size_t n) { return malloc(n); }
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
said=$("$ashlar" run -- ./own 2>&1)
contains "its own malloc: it runs" "$said" "hello"
contains "its own malloc: said before" "$said" "ashlar: ./own: brings its own malloc"
contains "its own malloc: said after" "$said" "no figures: the program has its own malloc"

if cc -fsanitize=address five.c -o asan 2>/dev/null && ASAN_OPTIONS=detect_leaks=0 ./asan; [ $? -eq 5 ]; then
	said=$(ASAN_OPTIONS=detect_leaks=0 "$ashlar" run -- ./asan 2>&1)
	expect "sanitizer: it runs" 5 $?
	contains "sanitizer: said" "$said" "ashlar: ./asan: is built with AddressSanitizer"
else
	skip "sanitizer" "no AddressSanitizer here"
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp /bin/true suid && chmod 4755 suid
	said=$(TMPDIR=/tmp setpriv --reuid 65534 --clear-groups "$ashlar" run -- ./suid 2>&1)
	contains "setuid: said" "$said" "ashlar: ./suid: is a setuid program"
else
	skip "setuid" "not root"
fi

# ---- the control group's limit

# A group of our own below the one we are in, cgroup v1 or v2, with 64 and 48 MiB.
group=""
for mount in /sys/fs/cgroup/memory /sys/fs/cgroup /sys/fs/cgroup/unified; do
	mkdir "$mount/ashlar-test.$$" 2>/dev/null || continue
	for pair in memory.limit_in_bytes:memory.soft_limit_in_bytes memory.max:memory.high; do
		[ -w "$mount/ashlar-test.$$/${pair%:*}" ] || continue
		echo 64M >"$mount/ashlar-test.$$/${pair%:*}" && echo 48M >"$mount/ashlar-test.$$/${pair#*:}" &&
			group=$mount/ashlar-test.$$
	done
	[ -n "$group" ] && break
	rmdir "$mount/ashlar-test.$$"
done 2>/dev/null
if [ -n "$group" ]; then
	inside() { sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"; }
	set_to() { inside "$ashlar" run -q --set "$1" -- sh -c 'echo $ASHLAR_OPTIONS' | grep -o '[^;]*limit=[0-9]*'; }
	expect "limit=cgroup" "limit=67108864" "$(set_to limit=cgroup)"
	expect "soft_limit=cgroup" "soft_limit=50331648" "$(set_to soft_limit=cgroup)"
	expect "what the limit refuses is refused, and not killed" "MemoryError" \
		"$(inside "$ashlar" run -q --set limit=cgroup -- python3 -c 'try: x = bytes(60 << 20) + bytes(60 << 20)
except MemoryError: print("MemoryError")' 2>&1)"
	rmdir "$group"
else
	skip "limit=cgroup" "no control group can be made here"
fi
if unshare -m true 2>/dev/null; then
	said=$(unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && "$0" run --set limit=cgroup -- true' \
		"$ashlar" 2>&1)
	expect "limit=cgroup without a limit" 2 $?
	contains "limit=cgroup without a limit: said" "$said" "this control group has no such limit"
else
	skip "limit=cgroup without a limit" "no mount namespaces"
fi

# ---- options

for command in "run" "info" "trim" "record"; do
	expect "$command: an unknown option" "2 ashlar: $command: unrecognized option '--frobnicate'" "$(
		said=$("$ashlar" $command --frobnicate 2>&1)
		echo "$? $said"
	)"
done
"$ashlar" run 2>/dev/null
expect "no program" 2 $?
expect "help" "Usage: ashlar run [options] -- PROGRAM ARGS" "$("$ashlar" run --help | head -n 1)"
"$ashlar" frobnicate 2>/dev/null
expect "an unknown command" 2 $?
done_testing
