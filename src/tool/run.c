/* SPDX-License-Identifier: MIT */
/*
 * run.c - ashlar run: a program on Ashlar, and what it used
 *
 * What    Looks at the program's file, makes a private folder for the records, sets
 *         LD_PRELOAD and ASHLAR_OPTIONS, runs it, reads the records and shows them.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "library.h"
#include "print.h"
#include "program.h"
#include "spawn.h"
#include "summary.h"

#define RUN_RECORDS_MAX 1000000u

/* The engines, and the library to be preloaded for each. */
static const struct run_engine {
	const char *name;
	const char *library;
} run_engines[] = {
	{ "slab", "libashlar-malloc.so" },
	{ "slob", "libashlar-slob-malloc.so" },
};

struct run_options {
	const struct run_engine *engine;
	const char *slabinfo;
	const char *json;
	const char *keep;
	char *set; /* ";name=value" for each --set and --audit */
	bool quiet;
};

static const struct option run_long[] = {
	{ "engine", required_argument, NULL, 'e' }, { "slabinfo", required_argument, NULL, 's' },
	{ "json", required_argument, NULL, 'j' },   { "quiet", no_argument, NULL, 'q' },
	{ "set", required_argument, NULL, 'o' },    { "audit", no_argument, NULL, 'a' },
	{ "keep", required_argument, NULL, 'k' },   { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },      { 0 },
};

static void run_help(void)
{
	puts("Usage: ashlar run [options] -- PROGRAM ARGS\n"
	     "\n"
	     "Run PROGRAM on Ashlar's malloc. Signals and the exit status pass through; at the\n"
	     "end standard error has a summary of it and of its largest descendants,\n"
	     "those that misused their heap first. A process that leaves no record is not seen:\n"
	     "one that is static, has its own malloc, or was killed by a signal.\n"
	     "\n"
	     "  -q, --quiet            no summary\n"
	     "      --engine NAME      slab (unless told otherwise) or slob, for small memory\n"
	     "      --slabinfo FILE    keep the program's caches, as /proc/slabinfo 2.1\n"
	     "      --json FILE        keep all figures of all processes, as JSON\n"
	     "      --keep DIR         keep the records themselves in DIR\n"
	     "      --set NAME=VALUE   an option of the library (ASHLAR_OPTIONS), repeatedly;\n"
	     "                         limit=cgroup, soft_limit=cgroup: the control group's\n"
	     "      --audit            prove all rules of the heap at the end: --set audit=1\n"
	     "  -h, --help             this text\n"
	     "  -V, --version          the version\n"
	     "\n"
	     "FILE may be -, standard output. Exit status: the program's, or 127 if it is not\n"
	     "found, 126 if it cannot be executed, 2 for a wrong option, 1 if Ashlar failed,\n"
	     "also if the program ended with 0 and a FILE could not be written.");
}

static void run_add_option(struct run_options *o, const char *text)
{
	char *more = tool_text("%s;%s", o->set ? o->set : "", text);

	free(o->set);
	o->set = more;
}

static const struct run_engine *run_find_engine(const char *name)
{
	for (size_t i = 0; i < sizeof(run_engines) / sizeof(run_engines[0]); i++)
		if (strcmp(run_engines[i].name, name) == 0)
			return &run_engines[i];
	tool_say("run: no engine is called '%s': slab or slob", name);
	return NULL;
}

/* An option as it is, or with the control group's limit in the place of "cgroup". */
static bool run_set(struct run_options *o, const char *text)
{
	bool soft = strcmp(text, "soft_limit=cgroup") == 0;
	uint64_t bytes;
	char *number;

	if (*text == '=' || !*text) {
		tool_say("run: --set '%s': which option? --set NAME=VALUE", text);
		return false;
	}
	if (!soft && strcmp(text, "limit=cgroup") != 0) {
		run_add_option(o, text);
		return true;
	}
	bytes = cgroup_limit(soft);
	if (!bytes) {
		tool_say("run: --set %s: this control group has no such limit", text);
		return false;
	}
	number = tool_text("%s=%" PRIu64, soft ? "soft_limit" : "limit", bytes);
	run_add_option(o, number);
	free(number);
	return true;
}

/* The argument of @option; "--" is what ends options, and was hardly meant as one. */
static bool run_take(const char **to, const char *option, const char *argument)
{
	*to = argument;
	if (strcmp(argument, "--") != 0)
		return true;
	tool_say("run: --%s needs a name before --; ./-- is a file of that name", option);
	return false;
}

/* Returns -1 to go on, else the exit status. */
static int run_parse(struct run_options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "+qhV", run_long, NULL)) >= 0) {
		switch (c) {
		case 'e':
			o->engine = run_find_engine(optarg);
			if (!o->engine)
				return TOOL_USAGE;
			break;
		case 's':
			if (!run_take(&o->slabinfo, "slabinfo", optarg))
				return TOOL_USAGE;
			break;
		case 'j':
			if (!run_take(&o->json, "json", optarg))
				return TOOL_USAGE;
			break;
		case 'k':
			if (!run_take(&o->keep, "keep", optarg))
				return TOOL_USAGE;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'o':
			if (!run_set(o, optarg))
				return TOOL_USAGE;
			break;
		case 'a':
			run_add_option(o, "audit=1");
			break;
		case 'h':
			run_help();
			return TOOL_OK;
		case 'V':
			puts("ashlar " ASHLAR_VERSION);
			return TOOL_OK;
		default:
			return TOOL_USAGE; /* getopt has said why */
		}
	}
	if (optind < argc)
		return -1;
	tool_say("run: which program? ashlar run [options] -- PROGRAM ARGS");
	return TOOL_USAGE;
}

/* ---- the environment ------------------------------------------------------------------ */

static char **run_prepare_environment(const struct run_options *o, const char *folder,
				      const char *library)
{
	char *names[] = { (char *)(uintptr_t) "ASHLAR_OPTIONS", (char *)(uintptr_t) "LD_PRELOAD" };
	const char *options = getenv("ASHLAR_OPTIONS");
	const char *preload = getenv("LD_PRELOAD");
	char *values[2];
	char **copy;

	values[0] =
		tool_text("%s%s;report=%s", options ? options : "", o->set ? o->set : "", folder);
	values[1] = tool_text("%s%s%s", library ? library : "", preload && *preload ? ":" : "",
			      preload ? preload : "");
	copy = library_environment(names, values, library ? 2 : 0);
	free(values[0]);
	free(values[1]);
	return copy;
}

/* ---- the records -------------------------------------------------------------------- */

/* Where records go: private, but a process that has dropped root's rights may add its own. */
static char *run_make_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = tool_text("%s/ashlar-run.XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!mkdtemp(folder)) {
		tool_say("run: %s: %s", folder, strerror(errno));
		free(folder);
		return NULL;
	}
	if (geteuid() == 0)
		chmod(folder, 01733);
	return folder;
}

/* Those that were misused first, whatever their size; then the largest. */
static int run_compare(const void *a, const void *b)
{
	const struct heap *x = a;
	const struct heap *y = b;
	bool bad = x->events[ASHLAR_EVENT_MISUSE] != 0;
	uint64_t m = x->rss_peak > x->pages.peak ? x->rss_peak : x->pages.peak;
	uint64_t n = y->rss_peak > y->pages.peak ? y->rss_peak : y->pages.peak;

	if (bad != (y->events[ASHLAR_EVENT_MISUSE] != 0))
		return bad ? -1 : 1;
	if (m != n)
		return m < n ? 1 : -1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Read every record in the folder; remove them unless they are to be kept. */
static void run_collect(struct summary *s, const char *folder, bool remove, bool rows)
{
	DIR *dir = opendir(folder);
	size_t room = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir)) && s->nr_heaps < RUN_RECORDS_MAX) {
		char *path = tool_text("%s/%s", folder, e->d_name);
		struct heap h;

		if (e->d_name[0] != '.' && heap_read_record(&h, path)) {
			if (!rows && h.pid != s->pid)
				heap_free(&h);
			if (s->nr_heaps == room) {
				room = room ? room * 2 : 16;
				s->heaps = tool_grow(s->heaps, room * sizeof(h));
			}
			s->heaps[s->nr_heaps++] = h;
		}
		if (remove && e->d_name[0] != '.')
			unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	if (s->nr_heaps)
		qsort(s->heaps, s->nr_heaps, sizeof(s->heaps[0]), run_compare);
	for (size_t i = 0; i < s->nr_heaps; i++)
		if (s->heaps[i].pid == s->pid)
			s->main = &s->heaps[i];
}

static void run_free_heaps(struct summary *s)
{
	for (size_t i = 0; i < s->nr_heaps; i++)
		heap_free(&s->heaps[i]);
	free(s->heaps);
}

/* false, said, iff a file could not be written. */
static bool run_write(const struct run_options *o, const struct summary *s)
{
	bool good = true;
	FILE *file;

	if (o->slabinfo && s->main) {
		file = tool_open_output(o->slabinfo);
		if (file)
			print_slabinfo(file, s->main);
		good = file && tool_close_output(file, o->slabinfo);
	}
	if (o->slabinfo && !s->main)
		tool_say("run: %s left no record: nothing is written to %s", s->argv[0],
			 o->slabinfo);
	if (o->json) {
		struct json_object *json = summary_json(s);

		file = tool_open_output(o->json);
		if (file)
			print_json_write(file, json);
		json_object_put(json);
		good = file && tool_close_output(file, o->json) && good;
	}
	if (!o->quiet)
		summary_print(stderr, s);
	return good;
}

/* ---- all of it ---------------------------------------------------------------------- */

static double run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Is there a reason not even to try? Returns -1 or the exit status. */
static int run_judge(const struct run_options *o, const struct program_facts *facts,
		     const char *name)
{
	if (facts->why && (facts->verdict >= PROGRAM_NOT_FOUND || !o->quiet))
		tool_say("%s: %s", name, facts->why);
	if (facts->verdict == PROGRAM_NOT_FOUND)
		return TOOL_NOT_FOUND;
	return facts->verdict == PROGRAM_CANNOT_RUN ? TOOL_CANNOT_RUN : -1;
}

static int run_program(const struct run_options *o, char **argv, const struct program_facts *facts,
		       const char *folder)
{
	char *library =
		facts->verdict == PROGRAM_MUST_NOT ? NULL : library_find("run", o->engine->library);
	struct summary s = { .argv = argv, .no_record = facts->short_why };
	char **environment;
	double start = run_now();
	bool good = true;
	pid_t pid;
	int error;

	if (!library && facts->verdict != PROGRAM_MUST_NOT)
		return TOOL_FAILED;
	environment = run_prepare_environment(o, folder, library);
	free(library);
	error = spawn_program(argv, environment, &pid, &s.status);
	s.seconds = run_now() - start;
	s.pid = (uint32_t)pid;
	if (error)
		tool_say("%s: %s", argv[0], strerror(error));
	run_collect(&s, folder, !o->keep, o->json != NULL);
	if (!error)
		good = run_write(o, &s);
	run_free_heaps(&s);
	if (!o->keep)
		rmdir(folder);
	if (error)
		return error == ENOENT ? TOOL_NOT_FOUND : TOOL_CANNOT_RUN;
	if (!good && WIFEXITED(s.status) && WEXITSTATUS(s.status) == 0)
		return TOOL_FAILED;
	spawn_end_like(s.status);
}

/* Can the figures be written to @path when the program has ended? If not it is said now, not after
 * hours. Nothing is opened: @path may be a pipe. */
static bool run_may_write(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!path || strcmp(path, "-") == 0 || access(path, W_OK) == 0)
		return true;
	snprintf(folder, sizeof(folder), "./%s", path);
	slash = strrchr(folder, '/');
	slash[1] = '\0';
	if (errno == ENOENT && access(path[0] == '/' ? folder + 2 : folder, W_OK) == 0)
		return true;
	tool_say("run: %s: %s", path, strerror(errno));
	return false;
}

/* The folder for the records; NULL, said, iff it cannot be made. */
static char *run_prepare_folder(const struct run_options *o)
{
	char *folder;

	if (!o->keep)
		return run_make_folder();
	if (mkdir(o->keep, 0700) != 0 && errno != EEXIST) {
		tool_say("run: %s: %s", o->keep, strerror(errno));
		return NULL;
	}
	folder = realpath(o->keep, NULL);
	if (!folder)
		tool_say("run: %s: %s", o->keep, strerror(errno));
	return folder;
}

int run_main(int argc, char **argv)
{
	struct run_options o = { .engine = &run_engines[0] };
	struct program_facts facts;
	int status = run_parse(&o, argc, argv);
	char *folder;

	if (status >= 0)
		return status;
	program_inspect(&facts, argv[optind]);
	status = run_judge(&o, &facts, argv[optind]);
	if (status < 0 && !(run_may_write(o.json) && run_may_write(o.slabinfo)))
		status = TOOL_FAILED;
	if (status < 0) {
		folder = run_prepare_folder(&o);
		status = folder ? run_program(&o, argv + optind, &facts, folder) : TOOL_FAILED;
		free(folder);
	}
	program_facts_free(&facts);
	free(o.set);
	return status;
}
