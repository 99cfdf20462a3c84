/* SPDX-License-Identifier: MIT */
/*
 * cgroup.c - the memory limit of the control group that a program will run in
 *
 * What    `ashlar run --set limit=cgroup` means the least memory.max of this process's group and the
 *         groups above it, `soft_limit=cgroup` the least memory.high; of cgroup v1,
 *         memory.limit_in_bytes and memory.soft_limit_in_bytes.
 * See     cgroups(7); Linux, Documentation/admin-guide/cgroup-v2.rst, .../cgroup-v1/memory.rst
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "tool.h"

#define CGROUP_NONE UINT64_MAX /* v1 says "none" with the largest number of pages */
#define CGROUP_HUGE (UINT64_C(1) << 60)

struct cgroup_kind {
	const char *start; /* of the line in /proc/self/cgroup, behind the number */
	const char *mount[2];
	const char *hard;
	const char *soft;
};

static const struct cgroup_kind cgroup_kinds[] = {
	{ "::", { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" }, "memory.max", "memory.high" },
	{ ":memory:",
	  { "/sys/fs/cgroup/memory", NULL },
	  "memory.limit_in_bytes",
	  "memory.soft_limit_in_bytes" },
};

static uint64_t cgroup_read(const char *folder, const char *name)
{
	char *path = tool_text("%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	uint64_t bytes = CGROUP_NONE;

	free(path);
	if (!file)
		return CGROUP_NONE;
	if (fscanf(file, "%" SCNu64, &bytes) != 1 || bytes > CGROUP_HUGE)
		bytes = CGROUP_NONE; /* "max" */
	fclose(file);
	return bytes;
}

/* The least of the groups from @path up to the root. */
static uint64_t cgroup_least(const char *mount, const char *path, const char *name)
{
	char *folder = tool_text("%s%s", mount, path);
	uint64_t least = CGROUP_NONE;

	for (size_t end = strlen(folder); end >= strlen(mount); end--) {
		uint64_t bytes;

		if (folder[end] && folder[end] != '/')
			continue;
		folder[end] = '\0';
		bytes = cgroup_read(folder, name);
		least = bytes < least ? bytes : least;
	}
	free(folder);
	return least;
}

uint64_t cgroup_limit(bool soft)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	uint64_t least = CGROUP_NONE;
	char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		char *rest = line + strspn(line, "0123456789");

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(cgroup_kinds) / sizeof(cgroup_kinds[0]); i++) {
			const struct cgroup_kind *k = &cgroup_kinds[i];

			if (strncmp(rest, k->start, strlen(k->start)) != 0)
				continue;
			for (size_t m = 0; m < 2 && k->mount[m]; m++) {
				uint64_t bytes = cgroup_least(k->mount[m], rest + strlen(k->start),
							      soft ? k->soft : k->hard);

				least = bytes < least ? bytes : least;
			}
		}
	}
	free(line);
	if (file)
		fclose(file);
	return least == CGROUP_NONE ? 0 : least;
}
