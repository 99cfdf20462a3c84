/* SPDX-License-Identifier: MIT */
/*
 * record.c - what a process leaves behind when it ends
 *
 * What    With report=DIR, one file in DIR: struct ashlar_record and a struct ashlar_row for
 *         each cache (include/ashlar/anchor.h). `ashlar run` shows it.
 * When    After the last destructor (this library was the first to start, so it is the last
 *         to end), at _exit, at quick_exit, and before a report ends the program. Not when
 *         a signal kills it, and not when it becomes another program.
 * Rules   RC1  open, read, write, close and the like only: it may run in a signal handler
 *              and with a broken heap
 *         RC2  a process leaves at most one record; so does each child that it forks
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ashlar/slab.h"
#include "base/check.h"
#include "base/text.h"
#include "cache/anchor.h"
#include "cache/array.h"
#include "cache/option.h"
#include "face/common/record.h"

#define RECORD_ROWS 4u /* written at once */

static pid_t record_left; /* the process that has left its record */

static bool record_write(int fd, const void *data, size_t bytes)
{
	const char *from = data;

	while (bytes) {
		ssize_t n = write(fd, from, bytes);

		if (n <= 0)
			return false;
		from += n;
		bytes -= (size_t)n;
	}
	return true;
}

/* The beginning of a file of /proc, as text; its length. */
static size_t record_read(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	while (fd >= 0 && length < bytes - 1) {
		ssize_t n = read(fd, text + length, bytes - 1 - length);

		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	text[length] = '\0';
	return length;
}

/* The most memory it had, KiB, as the text of /proc/self/status has it; 0 iff it has not. */
static u64 record_peak(const char *status, size_t length)
{
	static const char name[] = "\nVmHWM:";
	const size_t bytes = sizeof(name) - 1;
	u64 n = 0;

	for (size_t i = 0; i + bytes < length; i++) {
		if (memcmp(status + i, name, bytes) != 0)
			continue;
		for (i += bytes; status[i] == ' ' || status[i] == '\t'; i++)
			;
		for (; status[i] >= '0' && status[i] <= '9'; i++)
			n = n * 10 + (u64)(status[i] - '0');
		return n;
	}
	return 0;
}

static void record_command(char *command)
{
	size_t length = record_read("/proc/self/cmdline", command, ASHLAR_COMMAND_BYTES);

	while (length && command[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (command[i] == '\0')
			command[i] = ' ';
}

static u64 record_us(const struct timeval *t)
{
	return (u64)t->tv_sec * 1000000 + (u64)t->tv_usec;
}

static noinline void record_fill(struct ashlar_record *r, bool audited)
{
	char status[1024]; /* what is asked for stands before that */
	struct rusage usage = { 0 };
	u64 peak = record_peak(status, record_read("/proc/self/status", status, sizeof(status)));

	getrusage(RUSAGE_SELF, &usage);
	*r = (struct ashlar_record){
		.magic = ASHLAR_RECORD_MAGIC,
		.version = ASHLAR_ANCHOR_VERSION,
		.bytes = sizeof(*r),
		.row_bytes = sizeof(struct ashlar_row),
		.pid = (u32)getpid(),
		.parent = (u32)getppid(),
		.cpus = array_cpus(),
		.audited = audited,
		.page_bytes = PAGE_SIZE,
		.rss_peak = (peak ? peak : (u64)usage.ru_maxrss) << 10,
		.user_us = record_us(&usage.ru_utime),
		.system_us = record_us(&usage.ru_stime),
	};
	anchor_pages(&r->pages);
	memcpy(r->events, ashlar_anchor.events, sizeof(r->events));
	memcpy(r->percpu, ashlar_anchor.percpu, sizeof(r->percpu));
	memcpy(r->why, ashlar_anchor.why, sizeof(r->why));
	memcpy(r->message, ashlar_anchor.message, sizeof(r->message));
	record_command(r->command);
}

static noinline bool record_rows(int fd)
{
	struct ashlar_row rows[RECORD_ROWS];
	unsigned n = 0;

	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		n += anchor_row(id, &rows[n]);
		if (n == RECORD_ROWS) {
			if (!record_write(fd, rows, sizeof(rows)))
				return false;
			n = 0;
		}
	}
	return record_write(fd, rows, n * sizeof(rows[0]));
}

/* A name that no other process, also one with the same number later, has used. */
static noinline int record_open(void)
{
	struct timespec now = { 0 };
	struct text t;

	clock_gettime(CLOCK_MONOTONIC, &now);
	text_init(&t);
	text_str(&t, options.report);
	text_char(&t, '/');
	text_dec(&t, (u64)getpid());
	text_char(&t, '.');
	text_dec(&t, (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec);
	text_char(&t, '\0');
	return open(t.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void record_leave(bool audited)
{
	struct ashlar_record r;
	pid_t self;
	int fd;

	if (!options.report[0])
		return; /* and no system call: a sandbox may kill for it */
	self = getpid();
	if (__atomic_exchange_n(&record_left, self, __ATOMIC_ACQ_REL) == self)
		return; /* RC2 */
	record_fill(&r, audited);
	fd = record_open();
	if (fd < 0)
		return;
	if (record_write(fd, &r, sizeof(r)))
		record_rows(fd);
	close(fd);
}

static void record_last_words(void)
{
	record_leave(false);
}

/* At the end nobody may be there to hear it. */
static noinline void record_try_folder(void)
{
	struct text t;

	text_init(&t);
	text_str(&t, options.report);
	text_str(&t, "/."); /* a folder, and nothing else */
	text_char(&t, '\0');
	if (access(t.bytes, W_OK | X_OK) == 0)
		return;
	text_init(&t);
	text_str(&t, "ashlar: " PORT_OPTIONS_NAME ": no record will be left in '");
	text_str(&t, options.report);
	text_str(&t, "': ");
	text_str(&t, strerrordesc_np(errno));
	text_char(&t, '\n');
	text_print(&t);
}

void record_start(void)
{
	if (!options.report[0])
		return;
	record_try_folder();
	check_last_words = record_last_words;
	at_quick_exit(record_last_words);
}
