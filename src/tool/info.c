/* SPDX-License-Identifier: MIT */
/*
 * info.c - ashlar info: where the memory of a process or a core file is; ashlar trim
 */
#include <getopt.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "ashlar/anchor.h"
#include "heap_guard.h"
#include "heap_zones.h"
#include "print.h"
#include "sysfs.h"
#include "target.h"

#define INFO_CACHES 8 /* of the short form */

enum info_form {
	INFO_SHORT,
	INFO_CACHES_ALL,
	INFO_SLABINFO,
	INFO_BUDDYINFO,
	INFO_ZONEINFO,
	INFO_SYSFS,
	INFO_JSON,
	INFO_TWO /* several of them were asked for */
};

struct info_options {
	enum info_form form;
	const char *folder; /* of INFO_SYSFS */
	const struct column *sort;
};

static const struct option info_long[] = {
	{ "slabinfo", no_argument, NULL, 's' },   { "sysfs", required_argument, NULL, 'f' },
	{ "buddyinfo", no_argument, NULL, 'b' },  { "zoneinfo", no_argument, NULL, 'z' },
	{ "json", no_argument, NULL, 'j' },       { "caches", no_argument, NULL, 'c' },
	{ "sort", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },    { 0 },
};

static void info_help(void)
{
	puts("Usage: ashlar info PID|CORE [options]\n"
	     "\n"
	     "Where the memory of a process is that was started under Ashlar, read from outside:\n"
	     "the process is not stopped. Or of one that died, from its core file.\n"
	     "\n"
	     "      --caches      every cache, with all columns\n"
	     "      --sort KEY    the order of caches (default: memory); `ashlar help columns`\n"
	     "      --slabinfo    the caches as /proc/slabinfo 2.1, for slabtop and vmstat -m\n"
	     "      --buddyinfo   free blocks of pages by size, as /proc/buddyinfo\n"
	     "      --zoneinfo    the zones of pages and their watermarks, as /proc/zoneinfo\n"
	     "      --sysfs DIR   the caches as the directory /sys/kernel/slab, for slabinfo\n"
	     "      --json        all figures\n"
	     "  -h, --help        this text\n"
	     "  -V, --version     the version");
}

/* One form is printed, not the last of several. */
static enum info_form info_form(const struct info_options *o, enum info_form form)
{
	return o->form == INFO_SHORT || o->form == form ? form : INFO_TWO;
}

/* Returns -1 to go on, else the exit status. */
static int info_parse(struct info_options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "hV", info_long, NULL)) >= 0) {
		switch (c) {
		case 's':
			o->form = info_form(o, INFO_SLABINFO);
			break;
		case 'f':
			o->form = info_form(o, INFO_SYSFS);
			o->folder = optarg;
			break;
		case 'b':
			o->form = info_form(o, INFO_BUDDYINFO);
			break;
		case 'z':
			o->form = info_form(o, INFO_ZONEINFO);
			break;
		case 'j':
			o->form = info_form(o, INFO_JSON);
			break;
		case 'c':
			o->form = info_form(o, INFO_CACHES_ALL);
			break;
		case 'o':
			o->sort = columns_find(columns_cache, optarg);
			if (!o->sort) {
				tool_say("info: no column '%s'; `ashlar help columns` lists them",
					 optarg);
				return TOOL_USAGE;
			}
			break;
		case 'h':
			info_help();
			return TOOL_OK;
		case 'V':
			puts("ashlar " ASHLAR_VERSION);
			return TOOL_OK;
		default:
			return TOOL_USAGE;
		}
	}
	if (o->form == INFO_TWO) {
		tool_say("info: one form at a time, please: --caches, --slabinfo, --buddyinfo, "
			 "--zoneinfo, --sysfs or --json");
		return TOOL_USAGE;
	}
	if (optind + 1 == argc)
		return -1;
	tool_say("info: one process number or core file, please: ashlar info PID|CORE");
	return TOOL_USAGE;
}

static void info_print_short(const struct heap *h, const struct column *sort)
{
	print_heading(stdout, "ashlar: ");
	print_heading(stdout, h->command);
	printf("\n  PID %u, ", h->pid);
	if (!heap_is_slob(h))
		printf("%u CPU%s with arrays, ", h->cpus, h->cpus == 1 ? "" : "s");
	printf("%s: %s\n", h->percpu, h->why);
	print_sums(stdout, h);
	heap_guard_print(stdout, h);
	print_events(stdout, h);
	putchar('\n');
	print_caches(stdout, h, sort, INFO_CACHES);
	if (h->nr_groups)
		putchar('\n');
	print_groups(stdout, h);
}

static bool info_print(const struct heap *h, const struct info_options *o)
{
	struct json_object *json;

	switch (o->form) {
	case INFO_SHORT:
		info_print_short(h, o->sort);
		break;
	case INFO_CACHES_ALL:
		print_caches(stdout, h, o->sort, 0);
		break;
	case INFO_SLABINFO:
		print_slabinfo(stdout, h);
		break;
	case INFO_BUDDYINFO:
	case INFO_ZONEINFO:
		if (!h->nr_zones) {
			tool_say("info: the slob engine has no zones of pages");
			return false;
		}
		if (o->form == INFO_BUDDYINFO)
			heap_zones_print_buddyinfo(stdout, h);
		else
			heap_zones_print_zoneinfo(stdout, h);
		break;
	case INFO_SYSFS:
		return sysfs_write(h, o->folder);
	case INFO_JSON:
		json = print_json(h);
		print_json_write(stdout, json);
		json_object_put(json);
		break;
	case INFO_TWO:
		return false; /* refused by info_parse */
	}
	return tool_close_output(stdout, "standard output");
}

int info_main(int argc, char **argv)
{
	struct info_options o = { .sort = columns_find(columns_cache, "memory") };
	int status = info_parse(&o, argc, argv);
	struct target t;
	struct heap h;
	bool good;

	if (status >= 0)
		return status;
	good = target_open(&t, argv[optind]) && heap_read_target(&h, &t);
	target_close(&t);
	if (good) {
		good = info_print(&h, &o);
		heap_free(&h);
	}
	return good ? TOOL_OK : TOOL_FAILED;
}

static const struct option trim_long[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void trim_help(void)
{
	puts("Usage: ashlar trim PID\n"
	     "\n"
	     "Ask a process that was started under Ashlar to give back the memory that it\n"
	     "does not use. It does so when it next needs more objects than are at hand.\n"
	     "\n"
	     "  -h, --help     this text\n"
	     "  -V, --version  the version");
}

int trim_main(int argc, char **argv)
{
	uint32_t request = ASHLAR_REQUEST_TRIM;
	struct target t;
	bool good;
	int c = getopt_long(argc, argv, "hV", trim_long, NULL);

	if (c == 'h') {
		trim_help();
		return TOOL_OK;
	}
	if (c == 'V') {
		puts("ashlar " ASHLAR_VERSION);
		return TOOL_OK;
	}
	if (c >= 0)
		return TOOL_USAGE; /* getopt has said why */
	if (optind != argc - 1) {
		tool_say("trim: one process number, please: ashlar trim PID");
		return TOOL_USAGE;
	}
	good = target_open(&t, argv[optind]) &&
	       target_write(&t, t.anchor + offsetof(struct ashlar_anchor, request), &request,
			    sizeof(request));
	target_close(&t);
	return good ? TOOL_OK : TOOL_FAILED;
}
