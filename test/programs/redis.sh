#!/bin/bash
# SPDX-License-Identifier: MIT
#
# redis.sh - redis-server under redis-benchmark, with a BGSAVE in the middle
#
# What    A known data set goes in, the benchmark hammers a second database with many
#         clients while a BGSAVE forks the server, the benchmark's data goes away, and the
#         digest of what is left, before and after a reload from the file, is printed.
# Why     A server lives long, replaces values at random, forks while it is busy, and frees
#         in bulk. (Debian's redis-server brings its own malloc, as a library: the preloaded
#         one comes first.)
# Length  soak: two and a half times the data and the requests.
. "$(dirname "$0")/../lib.sh"
need redis-server redis-server
need redis-cli redis-tools

many=$(rounds 3200 8000)
data() {
	awk -v rows=$((many * 5 / 2)) 'BEGIN {
		for (i = 0; i < rows; i++) {
			printf "SET key:%d %0*d\n", i, 1 + i % 300, i
			printf "HSET hash:%d field:%d value:%d\n", i % 500, i, i * 7
			printf "RPUSH list:%d %0*d\n", i % 300, 1 + i % 90, i
			printf "ZADD zset:%d %d member:%d\n", i % 200, i * 31 % 1009, i
			printf "SADD set:%d %d\n", i % 400, i
			if (i % 3 == 0)
				printf "APPEND key:%d %0*d\n", i / 3, 1 + i % 500, i
			if (i % 7 == 0)
				printf "DEL key:%d\n", i / 7 * 3
		}
	}'
}
data >"$T/data"

at_end() {
	[ -s "$T/redis.pid" ] && kill -9 "$(cat "$T/redis.pid")" 2>/dev/null
}

cli() { timeout 60 redis-cli -p "$port" "$@"; }

# A port that is taken makes the server end at once: take the next.
serve() {
	for port in $((20000 + RANDOM % 20000)) $((20000 + RANDOM % 20000)) $((20000 + RANDOM % 20000)); do
		under redis-server --bind 127.0.0.1 --port "$port" --save "" --appendonly no \
			--dir . --dbfilename test.rdb --daemonize no --pidfile "$T/redis.pid" \
			--enable-debug-command local --io-threads 2 --lazyfree-lazy-user-flush yes \
			>&2 &
		for _ in {1..100}; do
			[ "$(redis-cli -p "$port" PING 2>&1)" = PONG ] && [ -s "$T/redis.pid" ] && return
			kill -0 $! 2>/dev/null || break
			sleep 0.1
		done
	done
	echo "redis-server did not start"
	return 1
}

job() {
	serve || return 1
	cli --pipe <"$T/data" | grep -E 'errors|replies'
	cli CONFIG SET rdb-key-save-delay 100 >/dev/null # microseconds: it lasts into the benchmark
	cli BGSAVE >/dev/null
	cli INFO persistence | tr -d '\r' | grep rdb_bgsave_in_progress
	under redis-benchmark -p "$port" --dbnum 1 -q -c 30 -P 4 -n "$many" -r 5000 -d 200 --threads 2 \
		-t set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100 >&2 || echo "the benchmark failed"
	cli CONFIG SET rdb-key-save-delay 0 >/dev/null
	cli BGSAVE SCHEDULE >/dev/null
	under redis-benchmark -p "$port" --dbnum 1 -q -c 20 -n $((many / 2)) -r 5000 -d 3000 -t set,get >&2 ||
		echo "the benchmark failed"
	for _ in {1..200}; do
		cli INFO persistence | grep -q rdb_bgsave_in_progress:0 && break
		sleep 0.1
	done
	cli INFO persistence | tr -d '\r' | grep rdb_last_bgsave_status
	cli -n 1 FLUSHDB ASYNC
	cli DEBUG DIGEST
	cli DEBUG RELOAD
	cli DEBUG DIGEST
	cli MEMORY PURGE >/dev/null
	cli DBSIZE
	cli SHUTDOWN NOSAVE
	wait
	rm -f "$T/redis.pid"
}

same "redis under redis-benchmark" job
tap_done
