#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""engines.py - recorded traces through each engine: memory, time, fragmentation over time

  engines.py [--build DIR] [--out DIR] [--rounds N] [--traces DIR] [--only NAME]

Records real programs with `ashlar record`, replays each trace with bench/replay.c on every engine
that is built, and prints a table; DIR gets it as engines.md, all looks as engines.json, and a plot for
each trace. The peak and the course count memory beyond what was resident before the replay;
time is CPU time, the least of the rounds.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20

SQL = """create table t(a integer primary key, b text, c real);
with recursive n(x) as (select 1 union all select x + 1 from n where x < 60000)
  insert into t select x, hex(x * 7919) || substr('abcdefghijklmnop', 1, x % 16), x / 3.0 from n;
create index i on t(b);
select count(*), sum(length(b)) from t where b like '%3%';
update t set b = b || 'x' where a % 7 = 0; delete from t where a % 3 = 0; vacuum;
"""
PERL = """my %h; my $s = 1;
for my $i (1 .. 60000) { $s = ($s * 1103515245 + 12345) & 0x7fffffff; $h{"k" . $s % 20000} .= "v$i,"; }
my @k = sort { length $h{$a} <=> length $h{$b} or $a cmp $b } keys %h;
delete @h{@k[0 .. 9999]}; print scalar(keys %h), "\\n";
"""
LUA = """local t, s = {}, 1
for i = 1, 120000 do s = (s * 1103515245 + 12345) % 2147483648
  t[s % 15000] = { name = "n" .. s, list = { i, i + 1, tostring(i) } } end
local n = 0 for k, v in pairs(t) do n = n + #v.list end print(n)
"""
PYTHON = """import json, re
rows = [{"id": i, "name": "n%d" % (i * 7919 % 10007), "tags": [str(i % k) for k in range(1, 8)]} for i in range(12000)]
text = json.dumps(rows); back = json.loads(text)
print(len(re.findall(r'"n\\d+1"', text)), len({tuple(r["tags"]) for r in back}))
"""
SMALL = """local t, s = {}, 1
for i = 1, 20000 do s = (s * 1103515245 + 12345) % 2147483648
  t[s % 60] = { name = "sensor" .. s % 60, last = { i, tostring(i) } } end
local n = 0 for k, v in pairs(t) do n = n + #v.last end print(n)
"""


def c_source(functions=220):
    body = "\n".join(
        f"static int f{i}(int a, int b) {{ int s = {i}; for (int k = 0; k < a; k++) "
        f"{{ s += (k ^ b) * {i + 3}; if (s & {1 << i % 7}) s -= b; else s ^= k << {i % 5}; }} return s; }}"
        for i in range(functions))
    calls = " + ".join(f"f{i}(a, {i})" for i in range(functions))
    return f"{body}\nint main(int a, char **v) {{ (void)v; return ({calls}) & 1; }}\n"


def programs(folder):
    """(name, arguments, standard input): what is there."""
    files = {"s.lua": SMALL, "q.pl": PERL, "q.lua": LUA, "q.py": PYTHON, "q.c": c_source()}
    for name, text in files.items():
        (folder / name).write_text(text)
    yield "sed", ["sed", "-E", "s/(.)(.)/\\2\\1/g; s/a+/b/; y/xyz/zyx/"], "some text, a line\n" * 3000
    yield "lua-small", ["lua5.4", str(folder / "s.lua")], ""
    yield "sqlite", ["sqlite3", ":memory:"], SQL
    yield "perl", ["perl", str(folder / "q.pl")], ""
    yield "lua", ["lua5.4", str(folder / "q.lua")], ""
    yield "python", ["env", "PYTHONMALLOC=malloc", "python3", str(folder / "q.py")], ""
    yield "gcc", ["gcc", "-O1", "-c", "-o", str(folder / "q.o"), str(folder / "q.c")], ""


def record(build, folder, only):
    """{name: trace}: of each program the longest of its processes' traces."""
    traces = {}
    for name, argv, text in programs(folder):
        if only and name != only:
            continue
        if not shutil.which(argv[2] if argv[0] == "env" else argv[0]):
            print(f"engines: {name}: {argv[0]} is not installed, left out", file=sys.stderr)
            continue
        path = folder / f"{name}.trace"
        for old in folder.glob(f"{name}.trace*"):
            old.unlink()
        subprocess.run([build / "ashlar", "record", "-q", "-o", path, "--", *argv], input=text,
                       text=True, stdout=subprocess.DEVNULL, check=True)
        found = sorted(folder.glob(f"{name}.trace*"), key=lambda p: p.stat().st_size)
        found[-1].replace(path)
        traces[name] = path
    return traces


def engines(build):
    """(name, library to preload, how replay is told)"""
    yield "glibc", "", "malloc"
    yield "slab", build / "libashlar-malloc.so", "malloc"
    if (build / "libashlar-slob-malloc.so").exists():
        yield "slob", build / "libashlar-slob-malloc.so", "malloc"
    yield "pools", build / "libashlar.so", "pools"


def words(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def replay(program, trace, library, how, rounds):
    done = subprocess.run([program, trace, how, str(rounds)], check=True, text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C", "LD_PRELOAD": str(library)})
    lines = [words(line) for line in done.stdout.splitlines()]
    result = {key: float(value) for key, value in lines[-1].items() if key != "bench"}
    result["looks"] = [[int(x["at"]), int(x["live"]), int(x["rss"])] for x in lines if "at" in x]
    return result


def mib(size):
    return f"{size / MIB:.{1 if size >= MIB else 3}f}"


def table(results):
    yield ("| trace | calls | live at most, MiB | engine | resident at most, MiB | waste, mean "
           "| at the end, MiB | CPU ns a call |")
    yield "|---|---|---|---|---|---|---|---|"
    for name, by_engine in results.items():
        for engine, r in by_engine.items():
            yield (f"| {name} | {r['events']:,.0f} | {mib(r['live_peak'])} | {engine} | "
                   f"{mib(r['rss_peak'])} | {100 * r['waste']:.0f} % | {mib(r['end'])} | {r['ns']:.0f} |")


COLOURS = {"glibc": "#888888", "slab": "#1f77b4", "slob": "#d62728", "pools": "#2ca02c"}
WIDTH, HEIGHT, LEFT, BOTTOM = 720, 360, 56, 40


def polyline(points, far, high, style):
    """Points (calls, bytes) in a picture whose axes end at @far calls and @high bytes."""
    across, up = (WIDTH - LEFT - 10) / far, (HEIGHT - BOTTOM - 30) / high
    place = " ".join(f"{LEFT + x * across:.1f},{HEIGHT - BOTTOM - y * up:.1f}" for x, y in points)
    return f'<polyline points="{place}" {style}/>'


def picture(name, by_engine):
    """An SVG: what is live, and what is resident with each engine, while the trace is replayed."""
    looks = next(iter(by_engine.values()))["looks"]
    far = max(max((x[0] for x in r["looks"]), default=1) for r in by_engine.values()) or 1
    high = max(max(max(x[1:]) for x in r["looks"]) for r in by_engine.values()) or 1
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'font-family="sans-serif" font-size="12">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield f'<text x="{LEFT}" y="18">{name}: resident MiB over the calls of its trace; grey: live</text>'
    yield polyline([(0, 0)] + [(x[0], x[1]) for x in looks] + [(far, 0)], far, high, 'fill="#dddddd"')
    for engine, r in by_engine.items():
        yield polyline([(x[0], x[2]) for x in r["looks"]], far, high,
                       f'fill="none" stroke="{COLOURS.get(engine, "black")}" stroke-width="1.5"')
    for i, engine in enumerate(by_engine):
        yield f'<text x="{WIDTH - 60}" y="{44 + 16 * i}" fill="{COLOURS.get(engine, "black")}">{engine}</text>'
    for part in (0, 0.5, 1):
        y = HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - 30)
        yield f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{mib(part * high)}</text>'
        yield (f'<line x1="{LEFT}" y1="{y:.0f}" x2="{WIDTH - 10}" y2="{y:.0f}" stroke="#cccccc" '
               f'stroke-width="0.5"/>')
    yield f'<text x="{WIDTH - 10}" y="{HEIGHT - 20}" text-anchor="end">{far:,} calls</text>'
    yield "</svg>"


def plot(out, results):
    for name, by_engine in results.items():
        if all(r["looks"] for r in by_engine.values()):
            (out / f"engines-{name}.svg").write_text("\n".join(picture(name, by_engine)) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--out", type=Path, default=ROOT / "bench/out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--traces", type=Path, help="traces that are there already, NAME.trace")
    parser.add_argument("--only")
    options = parser.parse_args()
    build = options.build.resolve()
    out = options.out.resolve()
    folder = out / "traces"
    folder.mkdir(parents=True, exist_ok=True)
    program = out / "replay"
    subprocess.run(["cc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-fno-builtin", "-I", ROOT / "include",
                    "-o", program, ROOT / "bench/replay.c"], check=True)
    if options.traces:
        traces = {p.stem: p for p in sorted(options.traces.glob("*.trace"))}
    else:
        traces = record(build, folder, options.only)
    results = {name: {engine: replay(program, trace, library, how, options.rounds)
                      for engine, library, how in engines(build)} for name, trace in traces.items()}
    text = "\n".join(table(results))
    print(text)
    (out / "engines.md").write_text(text + "\n")
    (out / "engines.json").write_text(json.dumps(results))
    plot(out, results)
    return 0


sys.exit(main())
