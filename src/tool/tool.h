/* SPDX-License-Identifier: MIT */
/*
 * tool.h - the `ashlar` command: how its files stand to each other
 *
 * What
 *           target   memory of a live process or (core) a core file, by address
 *           program  what the file of a program says beforehand
 *              |
 *           heap     the figures of one process, from a target or from a record
 *              |
 *           columns  the names, units and meanings of these figures: one table
 *              |
 *           print    tables, JSON, /proc/slabinfo; summary: what `ashlar run` says at the end
 *              |
 *           run, info, trim, record   one file for each subcommand;   main: the table of these
 *           library  what is preloaded, for run and record; preload/ is what record preloads
 *           minimum  a trace of record, tried on the engine of firmware (src/port/tiny/minimum.c)
 *
 * Rules   TL1  nothing of the library but include/ashlar/anchor.h; of heap.h what minimum asks
 *         TL2  what is read from outside is believed only after a look; no loop without a bound
 *         TL3  what goes wrong is one line on standard error that begins with "ashlar: "
 */
#ifndef ASHLAR_TOOL_TOOL_H
#define ASHLAR_TOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses of the command itself. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
	TOOL_CANNOT_RUN = 126, /* run: the program is there, but cannot be executed */
	TOOL_NOT_FOUND = 127,  /* run: it is not there */
};

/* A subcommand: argv[0] is what messages about options begin with. Returns the exit status. */
int run_main(int argc, char **argv);
int info_main(int argc, char **argv);
int trim_main(int argc, char **argv);
int record_main(int argc, char **argv);
int minimum_main(int argc, char **argv);

/* Print "ashlar: ..." and a newline to standard error. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory or the end: the command has nothing better to do without. */
void *tool_alloc(size_t bytes);
void *tool_grow(void *p, size_t bytes);
char *tool_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replace what a terminal or JSON could not show: control characters, and bytes that are not
 * UTF-8. */
void tool_clean(char *text);

/* A file that scripts read: "-" is standard output. NULL, said, iff it cannot be opened. */
void *tool_open_output(const char *path);
bool tool_close_output(void *file, const char *path);

#endif
