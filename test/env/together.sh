#!/bin/bash
# SPDX-License-Identifier: MIT
#
# together.sh - several options at once: each alone has its own tests
#
# What    Nodes, letters, clearing, counting, lock mode and the audit in one process, under programs
#         that know nothing of it: they do what they do without.
# Why     What two options do to one object meets in one place of the code, or it is forgotten in
#         one of two.
. "$(dirname "$0")/../lib.sh"
MODES="fake_numa=2;slab_debug=FZPU;audit=1 fake_numa=3;slab_debug=FZP;init_on_alloc=1;init_on_free=1
	fake_numa=2;percpu=lock;slab_debug=FZ,kmalloc-*;random_seq=1;audit=1
	fake_numa=2;stats=1;init_on_free=1;reap=1"

tables() {
	under perl -e 'my %h; for (1 .. 30000) { $h{$_ % 7000} .= "x" x ($_ % 300); delete $h{$_ * 3 % 7000} }
		my $sum = 0; $sum += length for values %h; print scalar(keys %h), " $sum\n"'
}
threads() {
	under env PYTHONMALLOC=malloc "$PYTHON" -c '
import queue, threading
q, out = queue.Queue(100), []
def make():
    for i in range(4000): q.put(bytes(i % 900) + str(i).encode())
    q.put(None)
def take():
    while (b := q.get()) is not None: out.append(len(b))
ts = [threading.Thread(target=t) for t in (make, make, take, take)]
[t.start() for t in ts]; [t.join() for t in ts]
print(len(out), sum(out))'
}
pipes() { under bash -c 'for i in {1..40}; do seq "$i" 400 | sort -rn | sed "s/1/one/g" | md5sum; done'; }

same "perl's tables" tables
same "python's threads" threads
same "a shell that forks" pipes
tap_done
