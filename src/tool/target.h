/* SPDX-License-Identifier: MIT */
/*
 * target.h - memory that is read from outside: of a live process, of a core file
 *
 * What    One reader by address, and where in that memory the library's anchor lies.
 * Rules   TG1  a target that was opened has an anchor with the right magic number
 *         TG2  a read gives all bytes or none
 */
#ifndef ASHLAR_TOOL_TARGET_H
#define ASHLAR_TOOL_TARGET_H

#include "tool.h"

struct target_segment;

struct target {
	const char *name; /* "PID 12" or the core's file name, for what is said */
	uint32_t pid;
	uint64_t anchor; /* address of the library's struct ashlar_anchor */
	bool live;
	int fd;                          /* core: the file; live: /proc/PID/mem, or -1 */
	struct target_segment *segments; /* core: what the file holds, by address */
	size_t nr_segments;
	char *command; /* what is known of the command line */
};

/* Open the process with this number, or the core file of this name. Says why it cannot. */
bool target_open(struct target *t, const char *what);
void target_close(struct target *t);

bool target_read(struct target *t, uint64_t address, void *to, size_t bytes);

/* Live only: write a word. Says why it cannot. */
bool target_write(struct target *t, uint64_t address, const void *from, size_t bytes);

/* The command line and the most memory it had (0: not known). */
void target_describe(const struct target *t, char *command, size_t bytes, uint64_t *rss_peak);

#endif
