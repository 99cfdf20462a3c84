# SPDX-License-Identifier: MIT
"""programs.py - the real programs: what they are given to do, and how they are run.

All inputs are generated, with fixed seeds, into out/work. A program that is not installed is left out
with a line that says so. Compilers, interpreters, a database, a server and a version-control system:
each allocates in its own way, and none was written to be a benchmark of allocators.
"""
import os
import random
import shutil
import subprocess
import time

SQL_ROWS = 60000
C_FUNCTIONS = 150
CPP_TYPES = 5
COMMITS = 2000


def write(path, text):
    if not path.exists():
        path.write_text(text)
    return path


def c_source(work):
    """A C file of many middle-sized functions, all different."""
    rng = random.Random(1)
    parts = ["struct node { struct node *next; long key, value; int kind; };\n"]
    for i in range(C_FUNCTIONS):
        cases = "".join(f"\t\tcase {k}: sum += n->value * {rng.randrange(99)} + {k}; break;\n"
                        for k in range(rng.randrange(4, 12)))
        call = f"sum += f{rng.randrange(i)}(n->next, a, b - 1);" if i else ";"
        parts.append(f"""
long f{i}(struct node *n, long a, long b)
{{
	long sum = {rng.randrange(1000)};

	for (; n && b > 0; n = n->next, b--) {{
		switch (n->kind) {{
{cases}		default: sum ^= a + n->key; {call}
		}}
		for (long i = 0; i < (n->key & {rng.choice([3, 7, 15])}); i++)
			a = a * {rng.randrange(3, 99, 2)} + (i ^ sum);
	}}
	return sum + a;
}}
""")
    return write(work / "large.c", "".join(parts))


def cpp_source(work):
    """A C++ file that makes the compiler instantiate the standard containers many times."""
    parts = ["#include <algorithm>\n#include <functional>\n#include <map>\n#include <memory>\n"
             "#include <string>\n#include <vector>\n"]
    for i in range(CPP_TYPES):
        parts.append(f"""
struct T{i} {{ int id; std::string name; bool operator<(const T{i} &o) const {{ return id < o.id; }} }};
int use{i}(std::vector<T{i}> &v, std::map<T{i}, std::shared_ptr<T{i}>> &m)
{{
	std::sort(v.begin(), v.end());
	for (auto &t : v)
		m.emplace(t, std::make_shared<T{i}>(t));
	std::function<int(int)> f = [&](int x) {{ return x + (int)m.size() + {i}; }};
	return f((int)v.size());
}}
""")
    return write(work / "large.cpp", "".join(parts))


def sql_script(work):
    rng = random.Random(2)
    rows = "".join(f"INSERT INTO t VALUES({i},{rng.randrange(10**9)},'{rng.random():.12f} name {i}');\n"
                   for i in range(SQL_ROWS))
    return write(work / "script.sql", f"""
CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, s TEXT);
BEGIN;
{rows}COMMIT;
CREATE INDEX t_n ON t(n);
CREATE TABLE u AS SELECT n % 1000 AS k, group_concat(substr(s, 1, 8)) AS g FROM t GROUP BY k;
SELECT count(*), sum(length(g)) FROM u;
SELECT count(*) FROM t a JOIN t b ON a.n = b.n + 1;
SELECT sum(x) FROM (SELECT length(s || n || upper(s)) AS x FROM t ORDER BY s);
UPDATE t SET s = s || '+' WHERE n % 3 = 0;
DELETE FROM t WHERE n % 2 = 0;
SELECT count(*), max(s) FROM t;
""")


def python_script(work):
    return write(work / "work.py", """
import ast, collections, glob, json, os, random
rng = random.Random(3)
folder = os.path.dirname(os.__file__)
trees = []
for path in sorted(glob.glob(folder + "/*.py"))[:25]:
    with open(path, encoding="utf-8", errors="ignore") as source:
        trees.append(ast.parse(source.read()))
counts = collections.Counter(type(node).__name__ for tree in trees for node in ast.walk(tree))
records = [{"id": i, "name": "n%d" % i, "tags": ["t%d" % rng.randrange(99) for _ in range(5)],
            "pos": {"x": rng.random(), "y": rng.random()}} for i in range(20000)]
for _ in range(3):
    records = json.loads(json.dumps(records))
index = collections.defaultdict(list)
for record in records:
    for tag in record["tags"]:
        index[tag].append(record)
print(len(counts), sum(len(hits) for hits in index.values()))
""")


def perl_script(work):
    return write(work / "work.pl", r"""
use strict; srand(4);
my (%words, @lines);
for my $i (1 .. 120000) { push @lines, join " ", map { "w" . int(rand(20000)) } 1 .. 6; }
for my $line (@lines) { $words{$_}{count}++, push @{$words{$_}{at}}, length $line for split / /, $line; }
my $text = join "\n", map { "$_ => $words{$_}{count}" } sort keys %words;
my $n = () = $text =~ /w(\d+)5 => (\d+)/g;
print scalar(keys %words), " $n\n";
""")


def lua_script(work):
    return write(work / "work.lua", """
local function tree(depth)
	if depth == 0 then return { value = depth } end
	return { left = tree(depth - 1), right = tree(depth - 1), value = depth }
end
local function sum(t) return t and t.value + sum(t.left) + sum(t.right) or 0 end
local total = 0
for i = 1, 12 do total = total + sum(tree(15)) end
local parts, seen = {}, {}
for i = 1, 300000 do
	local s = "key" .. (i * 7919 % 50021)
	seen[s] = (seen[s] or 0) + 1
	parts[#parts + 1] = s
end
print(total, #table.concat(parts, ","))
""")


def postscript(work):
    rng = random.Random(5)
    lines = ["%!PS\n/Times-Roman findfont 12 scalefont setfont\n"]
    for _ in range(80):
        for _ in range(120):
            x, y = rng.randrange(500), rng.randrange(700)
            lines.append(f"{x} {y} moveto (text {rng.randrange(10**6)}) show\n"
                         f"newpath {x} {y} {rng.randrange(5, 80)} 0 360 arc "
                         f"{rng.random():.2f} setgray fill\n")
        lines.append("showpage\n")
    return write(work / "pages.ps", "".join(lines))


def cmake_script(work):
    return write(work / "work.cmake", """
set(list "")
foreach(i RANGE 30000)
  math(EXPR r "(${i} * 7919) % 10007")
  list(APPEND part "item-${r}")
  string(REGEX REPLACE "item-([0-9]+)" "number \\\\1" text "item-${r}")
  set(value_${r} "${text}")
  if(r GREATER 9990)
    list(APPEND list ${part})
    set(part "")
  endif()
endforeach()
list(SORT list)
list(REMOVE_DUPLICATES list)
list(LENGTH list length)
message(STATUS "${length}")
""")


def git_repository(work):
    """A repository of COMMITS commits, each changing some of 200 files; made by fast-import."""
    path = work / "repo"
    if path.exists():
        return path
    rng = random.Random(6)
    files = [[f"line {rng.randrange(10**6)}" for _ in range(200)] for _ in range(200)]
    stream = []
    for commit in range(COMMITS):
        stream.append("commit refs/heads/main\n"
                      f"committer Bench <bench@example.org> {1500000000 + commit} +0000\n"
                      "data 6\ncommit\n")
        for at in range(200) if commit == 0 else rng.sample(range(200), 8):
            files[at][rng.randrange(200)] = f"line {rng.randrange(10**9)}"
            text = "\n".join(files[at])
            stream.append(f"M 100644 inline dir{at % 10}/file{at}\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "init", "-q", "--bare", path], check=True)
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], check=True,
                   input="".join(stream), text=True)
    return path


class Program:
    """One real program: the tool it needs, its input (made once), and its command line."""

    def __init__(self, name, tool, prepare, command, env=None):
        self.name, self.tool, self.prepare, self.env = name, tool, prepare, env or {}
        self.command = command

    def missing(self):
        return None if shutil.which(self.tool) else self.tool

    def run(self, spawn, work, _quick):
        """Run once; @spawn(argv, env) returns a Popen and the dict of what it used, when waited."""
        return spawn.run([str(word) for word in self.command(self.prepare(work), work)], self.env)


class Redis:
    """A server under load from redis-benchmark, which itself runs without any preload."""
    name = "redis"
    requests = 60000

    def missing(self):
        tools = ("redis-server", "redis-benchmark", "redis-cli")
        return next((tool for tool in tools if not shutil.which(tool)), None)

    def run(self, spawn, work, quick):
        socket = work / f"redis-{os.getpid()}.socket"
        server = spawn.start(["redis-server", "--port", "0", "--unixsocket", str(socket),
                              "--save", "", "--appendonly", "no", "--dir", str(work)], {})
        try:
            self.wait_for(socket)
            requests = self.requests // (4 if quick else 1)
            subprocess.run(["redis-benchmark", "-s", socket, "-q", "-n", str(requests), "-P", "16",
                            "-r", "50000", "-d", "100", "-t",
                            "set,get,incr,lpush,lpop,sadd,hset,zadd,mset"],
                           check=True, stdout=subprocess.DEVNULL, timeout=120)
        finally:
            subprocess.run(["redis-cli", "-s", socket, "shutdown", "nosave"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
        return server.finish()

    @staticmethod
    def wait_for(socket):
        for _ in range(500):
            if socket.exists():
                return
            time.sleep(0.01)
        raise RuntimeError("redis-server did not start")


PROGRAMS = [
    Redis(),
    Program("sqlite3", "sqlite3", sql_script,
            lambda script, _: ["sqlite3", ":memory:", f".read {script}"]),
    Program("python3", "/usr/bin/python3", python_script,
            lambda script, _: ["/usr/bin/python3", "-S", script]),
    Program("python3-malloc", "/usr/bin/python3", python_script,
            lambda script, _: ["/usr/bin/python3", "-S", script], {"PYTHONMALLOC": "malloc"}),
    Program("gcc", "gcc", c_source,
            lambda source, work: ["gcc", "-O1", "-c", source, "-o", work / "large.o"]),
    Program("clang", "clang", c_source,
            lambda source, work: ["clang", "-O1", "-c", source, "-o", work / "large.o"]),
    Program("g++", "g++", cpp_source,
            lambda source, work: ["g++", "-O0", "-c", source, "-o", work / "large++.o"]),
    Program("clang-tidy", "clang-tidy", c_source,
            lambda source, _: ["clang-tidy", "--quiet", "--config={}",
                               "--checks=-*,bugprone-*,readability-*",
                               source, "--", "-w"]),
    Program("perl", "perl", perl_script, lambda script, _: ["perl", script]),
    Program("lua", "lua5.4", lua_script, lambda script, _: ["lua5.4", script]),
    Program("git", "git", git_repository,
            lambda repo, _: ["git", "-C", repo, "-c", "pack.threads=2", "repack", "-adfq"]),
    Program("cmake", "cmake", cmake_script, lambda script, _: ["cmake", "-P", script]),
    Program("ghostscript", "gs", postscript,
            lambda pages, _: ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=ppmraw", "-r50",
                              "-sOutputFile=/dev/null", pages]),
]
