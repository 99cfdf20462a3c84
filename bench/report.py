# SPDX-License-Identifier: MIT
"""report.py - from samples to tables and plots: medians, spreads, ratios, verdicts."""
import math
import statistics
from dataclasses import dataclass

COLOURS = {"ashlar": "#b5482a", "glibc": "#6b6b6b", "mimalloc": "#2a6fb5", "jemalloc": "#3a8f4d",
           "tcmalloc": "#8a5ab5"}
TITLES = {"micro": "micro: CPU ns for one malloc with its free, one thread",
          "threads": "threads: wall ns an operation; KiB a thread",
          "startup": "start-up of /bin/true",
          "workloads": "classic workloads: wall ns an operation",
          "pools": "a walk through a pool on 2 MiB pages, ns a step; 'malloc' is the same on 4 KiB pages",
          "kmem": "object caches: kmem_cache_alloc + free; 'malloc' is malloc + free in the same run",
          "rss": "memory given back: resident MiB at the end of the idle time"}
NAME_WIDTH, CELL_WIDTH = 20, 15


@dataclass
class Cell:
    median: float
    spread: float           # half the distance between the quartiles, as a share of the median
    count: int


@dataclass
class Row:
    name: str
    cells: dict
    targets: list
    verdict: str = ""


@dataclass
class Table:
    title: str
    kind: str
    rows: list


def cell(samples, key):
    values = [s[key] for s in samples if s.get(key) is not None]
    if not values:
        return None
    median = statistics.median(values)
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [0, 0, 0]
    spread = (quartiles[2] - quartiles[0]) / 2 / median if median else 0
    return Cell(median, spread, len(values))


def peers_of(cells):
    return {name: c.median for name, c in cells.items() if not name.startswith("ashlar")}


def ratio_to_best(cells):
    """(Ashlar / best peer, that peer's name), or None."""
    peers = peers_of(cells)
    if "ashlar" not in cells or not peers:
        return None
    best = min(peers, key=peers.get)
    return (cells["ashlar"].median / peers[best] if peers[best] else math.inf), best


def judge(target, cells):
    """(limit met?, the limit in words), or None where there is nothing to compare."""
    ours = cells["ashlar"].median if "ashlar" in cells else None
    kind, *rest = target
    if kind == "variant":
        name, factor = rest
        if ours is None or name not in cells:
            return None
        return cells[name].median <= factor * ours, f"{name} <= {factor} x ashlar"
    limits = {"best": lambda f: (f * min(peers_of(cells).values(), default=math.nan), f"{f} x best"),
              "peer": lambda n, f: (f * median_of(cells, n), f"{f} x {n}"),
              "plus": lambda n, x: (median_of(cells, n) + x, f"{n} + {x}"),
              "line": lambda n, f: (f * median_of(cells, "malloc"), f"{f} x malloc"),
              "below": lambda x: (x, f"{x}")}
    limit, text = limits[kind](*rest)
    if ours is None or math.isnan(limit):
        return None
    return ours <= limit, f"<= {text}"


def median_of(cells, name):
    return cells[name].median if name in cells else math.nan


def verdict(row):
    said = [answer for answer in (judge(t, row.cells) for t in row.targets) if answer]
    missed = [text for met, text in said if not met]
    if missed:
        return "MISS " + ", ".join(missed)
    return "ok   " + ", ".join(text for _, text in said) if said else ""


def make_row(name, samples, key, targets):
    cells = {a: c for a, taken in samples.items() if (c := cell(taken, key))}
    if any("malloc" in s for s in samples.get("ashlar", [])) and key == "value":
        cells["malloc"] = cell(samples["ashlar"], "malloc")
    row = Row(name, cells, targets)
    row.verdict = verdict(row)
    return row


def geometric_mean(rows, names, targets):
    """A row of geometric means relative to glibc, over the rows that every allocator has."""
    rows = [row for row in rows if all(name in row.cells for name in names)]
    if not rows or "glibc" not in names:
        return None
    cells = {}
    for name in names:
        logs = [math.log(row.cells[name].median / row.cells["glibc"].median) for row in rows]
        cells[name] = Cell(math.exp(statistics.mean(logs)), 0, len(rows))
    row = Row("geomean / glibc", cells, targets)
    row.verdict = verdict(row)
    return row


def tables(benches, programs, samples, names):
    result = []
    for group, title in TITLES.items():
        rows = [make_row(f"{b.name}" + ("" if b.unit == "ns" else f" [{b.unit}]"),
                         samples[b.name], "value", b.targets)
                for b in benches if b.group == group and b.name in samples]
        result.append(Table(title, group, rows))
    busy = [b.name for b in benches if b.group in ("threads", "workloads") and b.name in samples]
    result.append(Table("the same with threads: CPU ns an operation", "cpu",
                        [make_row(name, samples[name], "cpu", []) for name in busy]))
    result.append(Table("peak resident MiB of the benchmarks", "peak",
                        [make_row(b.name, samples[b.name], "rss_mib", []) for b in benches
                         if b.group in ("micro", "threads", "workloads", "rss") and b.name in samples
                         and not b.only]))
    result += program_tables([p.name for p in programs if p.name in samples], samples, names)
    for table in result:
        table.rows = [row for row in table.rows if row.cells]
    return [table for table in result if table.rows]


def program_tables(programs, samples, names):
    memory = [("peer", "glibc", 1.1), ("peer", "mimalloc", 1), ("peer", "jemalloc", 1)]
    result = []
    for title, kind, key, targets in (
            ("real programs: CPU seconds, descendants included", "programs-cpu", "value", []),
            ("real programs: peak resident MiB of the largest process", "programs-rss", "rss_mib",
             memory)):
        rows = [make_row(name, samples[name], key, targets) for name in programs]
        mean = geometric_mean(rows, names, targets)
        result.append(Table(title, kind, rows + ([mean] if mean else [])))
    return result


def text_of(value):
    if value < 0.995:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def format_cell(c):
    if not c:
        return f"{'-':>{CELL_WIDTH}}"
    spread = f" ±{min(999, 100 * c.spread):.0f}%" if c.count > 1 else ""
    return f"{text_of(c.median) + spread:>{CELL_WIDTH}}"


def print_table(table, names):
    present = [n for n in (*names, "ashlar-lock", "ashlar-nodes", "malloc")
               if any(n in row.cells for row in table.rows)]
    print(f"\n{table.title}")
    print(f"{'':{NAME_WIDTH}}" + "".join(f"{n:>{CELL_WIDTH}}" for n in present)
          + ("   ashlar/best peer" if "ashlar" in present else "   best"))
    for row in table.rows:
        line = f"{row.name:{NAME_WIDTH}}" + "".join(format_cell(row.cells.get(n)) for n in present)
        print(f"{line}   {compare(row):20} {row.verdict}".rstrip())


def compare(row):
    if ratio := ratio_to_best(row.cells):
        return f"{ratio[0]:.2f} ({ratio[1]})"
    peers = peers_of(row.cells)
    return min(peers, key=peers.get) if peers and "ashlar" not in row.cells else ""


def print_all(facts, all_tables, names, rounds):
    print(f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']},"
          f" glibc {facts['glibc']}, huge pages: {facts['thp']}, load at the start {facts['load']}")
    print(f"Medians of {rounds} interleaved rounds (rss: of 3 at most), ± half the distance between the "
          "quartiles. Smaller is better everywhere.")
    for table in all_tables:
        print_table(table, names)
    missed = [row.name for table in all_tables for row in table.rows if row.verdict[:4] == "MISS"]
    met = sum(row.verdict[:2] == "ok" for table in all_tables for row in table.rows)
    if met or missed:
        print(f"\nTargets: {met} met, {len(missed)} missed" + (": " + ", ".join(missed) if missed else ""))


def colour(name):
    return COLOURS.get(name, "#c9a227")


def plot_bars(plt, table, names, path):
    """One group of bars for each row, relative to glibc, so that rows of any unit share an axis."""
    rows = [r for r in table.rows if "glibc" in r.cells and r.cells["glibc"].median and
            len(r.cells) > 1 and not r.name.startswith("geomean")]
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(max(7, 0.7 * len(rows) + 3), 4.5))
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        heights = [median_of(r.cells, name) / r.cells["glibc"].median for r in rows]
        axes.bar([i + at * width for i in range(len(rows))], heights, width, label=name,
                 color=colour(name))
    axes.set_xticks([i + 0.4 - width / 2 for i in range(len(rows))], [r.name for r in rows],
                    rotation=40, ha="right")
    axes.set_ylim(0, 2)
    axes.axhline(1, color="#6b6b6b", linewidth=0.6)
    finish(plt, figure, axes, f"{table.title}\nrelative to glibc (bars end at 2)", path)


def plot_curve(plt, table, names, path):
    """Random replace: the price against the number of live objects."""
    rows = [r for r in table.rows if r.name.startswith("replace ")]
    if len(rows) < 2:
        return
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for name in names:
        points = [(int(r.name.split()[1]), r.cells[name].median) for r in rows if name in r.cells]
        axes.plot(*zip(*points), marker="o", label=name, color=colour(name))
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("live objects of 16-256 bytes")
    axes.set_ylabel("CPU ns for one replacement")
    finish(plt, figure, axes, "random replace that writes to the objects", path)


def plot_trace(plt, name, samples, names, path):
    """Resident size over time: the first run of each."""
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for allocator in names:
        if allocator in samples:
            times, rss, _ = zip(*samples[allocator][0]["trace"])
            axes.plot([t / 1e3 for t in times], rss, label=allocator, color=colour(allocator))
    first = next(iter(samples.values()))[0]["trace"]
    axes.plot([t / 1e3 for t, _, _ in first], [live for _, _, live in first], label="live (first)",
              color="black", linestyle=":", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("resident MiB")
    finish(plt, figure, axes, f"{name}: resident size over time", path)


def finish(plt, figure, axes, title, path):
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def plot_all(out, all_tables, samples, names):
    try:
        import matplotlib  # pylint: disable=import-outside-toplevel
        matplotlib.use("svg")
        from matplotlib import pyplot as plt  # pylint: disable=import-outside-toplevel
    except ImportError:
        print("bench: python3-matplotlib is not installed: no plots")
        return
    for table in all_tables:
        if table.kind in ("micro", "threads", "startup", "workloads", "programs-cpu", "programs-rss"):
            plot_bars(plt, table, names, out / f"{table.kind}.svg")
        if table.kind == "micro":
            plot_curve(plt, table, names, out / "replace.svg")
        if table.kind == "rss":
            for row in table.rows:
                name = row.name.split(" [")[0]
                plot_trace(plt, name, samples[name], names, out / f"{name.replace(' ', '-')}.svg")
    print(f"\nPlots: {out.name}/*.svg, samples: {out.name}/results.json")
