#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sqlite.sh - sqlite3 on a large generated script
#
# What    Tables, indexes, triggers, joins, windows, JSON, full text, rollbacks and VACUUM;
#         once in memory and once in a file.
# Why     A database allocates many sizes for each statement and frees them in any order.
. "$(dirname "$0")/../lib.sh"
need sqlite3 sqlite3

script() {
	awk 'BEGIN {
		print "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT, c BLOB);"
		print "CREATE TABLE u(id INTEGER PRIMARY KEY, t INT REFERENCES t(id), w REAL);"
		print "CREATE TABLE log(what TEXT);"
		print "CREATE TRIGGER gone AFTER DELETE ON t BEGIN INSERT INTO log VALUES(old.a); END;"
		for (i = 0; i < 24000; i++) {
			if (i % 400 == 0)
				print "BEGIN;"
			printf "INSERT INTO t(a, b, c) VALUES(\x27name-%0*d\x27, %d, zeroblob(%d));\n",
				1 + i % 60, i, i * 7919 % 10007, i * 31 % 700
			printf "INSERT INTO u(t, w) VALUES(%d, %d.5);\n", i * 17 % (i + 1), i * 13 % 977
			if (i % 500 == 250)
				printf "SELECT count(*), sum(b), max(a) FROM t WHERE b %% 7 = %d;\n", i % 7
			if (i % 400 == 399)
				print (i % 2000 == 1999) ? "ROLLBACK;" : "COMMIT;"
		}
		print "CREATE INDEX ta ON t(a); CREATE INDEX tb ON t(b, a); CREATE INDEX ut ON u(t);"
		print "SELECT t.b % 50, count(*), avg(u.w), group_concat(DISTINCT u.id % 9)",
			"FROM t JOIN u ON u.t = t.id GROUP BY 1 ORDER BY 1;"
		print "SELECT id, sum(b) OVER (ORDER BY a ROWS 20 PRECEDING) FROM t WHERE id % 100 = 0;"
		print "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)",
			"SELECT count(*), sum(length(printf(\x27%0*d\x27, i % 200, i))) FROM n;"
		print "SELECT json_group_array(json_object(\x27a\x27, a, \x27b\x27, b)) FROM t WHERE id < 300;"
		print "CREATE VIRTUAL TABLE f USING fts5(x);"
		print "INSERT INTO f SELECT a || \x27 \x27 || b || \x27 word\x27 || (id % 300) FROM t;"
		print "SELECT count(*) FROM f WHERE f MATCH \x27word7* OR word19\x27;"
		print "UPDATE t SET a = a || \x27x\x27, c = zeroblob(length(c) * 2) WHERE b % 3 = 0;"
		print "DELETE FROM t WHERE id % 5 = 1; SELECT count(*) FROM log;"
		print "VACUUM; PRAGMA integrity_check; SELECT count(*), total(length(c)) FROM t;"
	}'
}
script >"$T/script.sql"

in_memory() { under sqlite3 -batch -bail :memory: <"$T/script.sql"; }
in_a_file() {
	under sqlite3 -batch -bail test.db <"$T/script.sql"
	sha256sum test.db
}

same "sqlite3 in memory" in_memory
same "sqlite3 in a file" in_a_file
tap_done
