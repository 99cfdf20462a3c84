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

struct core_segment;

struct target {
	const char *name; /* "PID 12" or the core's file name, for what is said */
	uint32_t pid;
	uint64_t anchor; /* address of the library's struct ashlar_anchor */
	bool live;
	int fd;                        /* core: the file; live: /proc/PID/mem, or -1 */
	struct core_segment *segments; /* core: what the file holds, by address */
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

/* ---- for target.c and core.c -------------------------------------------------------- */

/* A mapped file: where its first byte is, if all of it were mapped in one piece. */
struct target_file {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	const char *path;
};

/* Is the file one of the libraries, by its name? */
bool target_is_library(const char *path);

/* Find the anchor in one of these; with both libraries in a process, that of the one that
 * serves. */
bool target_find_anchor(struct target *t, const struct target_file *files, size_t count);

void target_free_files(struct target_file *files, size_t count);

#endif
