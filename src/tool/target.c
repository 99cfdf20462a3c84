/* SPDX-License-Identifier: MIT */
/*
 * target.c - see target.h
 *
 * Source  proc(5); process_vm_readv(2)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ashlar/anchor.h"
#include "core.h"
#include "program.h"
#include "target.h"

#define TARGET_MAPS_MAX 1000000u          /* lines of maps, entries of NT_FILE */
#define TARGET_SCAN_MAX ((size_t)1 << 20) /* bytes of one mapping that are searched */
#define TARGET_ALIGN 8u                   /* the anchor begins at a multiple of this */

/* ---- reading ------------------------------------------------------------------------ */

static bool target_read_live(struct target *t, uint64_t address, void *to, size_t bytes)
{
	struct iovec here = { to, bytes };
	struct iovec there = { (void *)(uintptr_t)address, bytes };

	if (process_vm_readv((pid_t)t->pid, &here, 1, &there, 1, 0) == (ssize_t)bytes)
		return true;
	return t->fd >= 0 && address <= INT64_MAX &&
	       pread(t->fd, to, bytes, (off_t)address) == (ssize_t)bytes;
}

bool target_read(struct target *t, uint64_t address, void *to, size_t bytes)
{
	if (!bytes || address > UINT64_MAX - bytes)
		return false;
	return t->live ? target_read_live(t, address, to, bytes) : core_read(t, address, to, bytes);
}

bool target_write(struct target *t, uint64_t address, const void *from, size_t bytes)
{
	struct iovec here = { (void *)(uintptr_t)from, bytes };
	struct iovec there = { (void *)(uintptr_t)address, bytes };

	if (t->live && process_vm_writev((pid_t)t->pid, &here, 1, &there, 1, 0) == (ssize_t)bytes)
		return true;
	tool_say("%s: %s", t->name, t->live ? strerror(errno) : "a core file cannot be asked");
	return false;
}

/* ---- the anchor --------------------------------------------------------------------- */

static bool target_is_anchor(struct target *t, uint64_t address)
{
	uint64_t magic = 0;

	return address % TARGET_ALIGN == 0 && target_read(t, address, &magic, sizeof(magic)) &&
	       magic == ASHLAR_ANCHOR_MAGIC;
}

bool target_is_library(const char *path)
{
	const char *name = strrchr(path, '/');

	return strncmp(name ? name + 1 : path, "libashlar", 9) == 0;
}

/* Open the file as the process sees it. */
static int target_open_file(const struct target *t, const char *path)
{
	int fd = -1;

	if (t->live) {
		char *inside = tool_text("/proc/%u/root%s", t->pid, path);

		fd = open(inside, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		free(inside);
	}
	return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* By the symbol table of the file mapped at @f, whose offset 0 is there. */
static bool target_by_symbol(struct target *t, const struct target_file *f)
{
	int fd = target_open_file(t, f->path);
	uint64_t offset;
	bool found;

	if (fd < 0)
		return false;
	found = program_find_symbol(fd, "ashlar_anchor", &offset) &&
		target_is_anchor(t, f->start + offset);
	close(fd);
	if (found)
		t->anchor = f->start + offset;
	return found;
}

/* The file is gone or another by now: look for the magic number in what it had mapped. */
static bool target_by_magic(struct target *t, const struct target_file *f)
{
	uint64_t buffer[512];
	size_t bytes = f->end - f->start;

	if (bytes > TARGET_SCAN_MAX)
		bytes = TARGET_SCAN_MAX;
	for (size_t at = 0; at + sizeof(buffer) <= bytes; at += sizeof(buffer)) {
		if (!target_read(t, f->start + at, buffer, sizeof(buffer)))
			continue;
		for (size_t i = 0; i < sizeof(buffer) / sizeof(buffer[0]); i++) {
			if (buffer[i] != ASHLAR_ANCHOR_MAGIC)
				continue;
			t->anchor = f->start + at + i * sizeof(buffer[0]);
			return true;
		}
	}
	return false;
}

static bool target_is_serving(struct target *t)
{
	uint32_t state = 0;

	return target_read(t, t->anchor + offsetof(struct ashlar_anchor, state), &state,
			   sizeof(state)) &&
	       state == ASHLAR_STATE_SERVING;
}

bool target_find_anchor(struct target *t, const struct target_file *files, size_t count)
{
	uint64_t idle = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count; i++) {
			const struct target_file *f = &files[i];
			bool found = pass == 0 ?
					     f->offset == 0 && target_by_symbol(t, f) :
					     target_is_library(f->path) && target_by_magic(t, f);

			if (found && target_is_serving(t))
				return true;
			if (found)
				idle = t->anchor;
		}
	}
	t->anchor = idle;
	return idle != 0;
}

/* ---- a live process ----------------------------------------------------------------- */

/* The mappings that may have the anchor: of the libraries, and of the program itself, which
 * comes first. */
static size_t target_parse_maps(FILE *maps, struct target_file **files)
{
	struct target_file *list = NULL;
	char *line = NULL;
	char *program = NULL;
	size_t room = 0;
	size_t lines = 0;
	size_t n = 0;

	while (getline(&line, &room, maps) > 0 && lines++ < TARGET_MAPS_MAX) {
		struct target_file f = { 0 };
		int path = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &f.start,
			   &f.end, &f.offset, &path) != 3 ||
		    !path || line[path] != '/' || f.end <= f.start)
			continue;
		if (!program)
			program = tool_text("%s", line + path);
		if (!target_is_library(line + path) && strcmp(line + path, program) != 0)
			continue;
		f.path = tool_text("%s", line + path);
		list = tool_grow(list, (n + 1) * sizeof(f));
		list[n++] = f;
	}
	free(line);
	free(program);
	*files = list;
	return n;
}

void target_free_files(struct target_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)files[i].path);
	free(files);
}

static void target_say_refused(const struct target *t)
{
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (f && fscanf(f, "%d", &scope) != 1)
		scope = 0;
	if (f)
		fclose(f);
	if (geteuid() == 0)
		tool_say("%s: permission denied (this system lets nobody look into it)", t->name);
	else if (scope)
		tool_say("%s: permission denied (kernel.yama.ptrace_scope is %d: ask as root)",
			 t->name, scope);
	else
		tool_say("%s: permission denied (another user's process: ask as root)", t->name);
}

/* The files in which the anchor may be; returns 0 or an errno. */
static int target_list_files(const struct target *t, struct target_file **files, size_t *count)
{
	char *path = tool_text("/proc/%u/maps", t->pid);
	FILE *maps = fopen(path, "re");
	int error = maps ? 0 : errno;

	free(path);
	if (!maps)
		return error;
	*count = target_parse_maps(maps, files);
	error = ferror(maps) ? EACCES : 0;
	fclose(maps);
	return error;
}

/* May its memory be read at all? The first bytes of the program's file are there to try. */
static bool target_may_read(struct target *t, const struct target_file *files, size_t count)
{
	char byte = 0;

	return count == 0 || target_read(t, files[0].start, &byte, 1);
}

static bool target_open_live(struct target *t, uint32_t pid)
{
	char *memory = tool_text("/proc/%u/mem", pid);
	struct target_file *files = NULL;
	size_t count = 0;
	bool found = false;
	int error;

	t->live = true;
	t->pid = pid;
	t->fd = open(memory, O_RDONLY | O_CLOEXEC);
	free(memory);
	error = target_list_files(t, &files, &count);
	if (error == ENOENT || error == ESRCH)
		tool_say("%s: no such process", t->name);
	else if (error || !target_may_read(t, files, count))
		target_say_refused(t);
	else if (!target_find_anchor(t, files, count))
		tool_say("%s: not started under Ashlar", t->name);
	else
		found = true;
	target_free_files(files, count);
	return found;
}

/* ---- either ------------------------------------------------------------------------- */

bool target_open(struct target *t, const char *what)
{
	bool number = *what && !what[strspn(what, "0123456789")];
	unsigned long pid;

	*t = (struct target){ .fd = -1 };
	if (number && access(what, F_OK) != 0) {
		t->name = tool_text("PID %s", what);
		pid = strtoul(what, NULL, 10); /* ULONG_MAX iff it is more than that */
		if (pid > 0 && pid <= INT_MAX)
			return target_open_live(t, (uint32_t)pid);
		tool_say("%s: no such process", t->name);
		return false;
	}
	t->name = tool_text("%s", what);
	return core_open(t);
}

void target_close(struct target *t)
{
	if (t->fd >= 0)
		close(t->fd);
	free(t->segments);
	free(t->command);
	free((void *)(uintptr_t)t->name);
	*t = (struct target){ .fd = -1 };
}

static size_t target_read_text(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, bytes - 1) : 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

void target_describe(const struct target *t, char *command, size_t bytes, uint64_t *rss_peak)
{
	char *cmdline = tool_text("/proc/%u/cmdline", t->pid);
	char *status = tool_text("/proc/%u/status", t->pid);
	char text[4096];
	const char *peak;
	size_t n;

	*rss_peak = 0;
	if (!t->live) {
		snprintf(command, bytes, "%s", t->command ? t->command : "");
	} else {
		n = target_read_text(cmdline, command, bytes);
		while (n && !command[n - 1])
			n--;
		for (size_t i = 0; i < n; i++)
			if (!command[i])
				command[i] = ' ';
		target_read_text(status, text, sizeof(text));
		peak = strstr(text, "\nVmHWM:");
		if (peak)
			*rss_peak = strtoull(peak + 7, NULL, 10) << 10;
	}
	free(cmdline);
	free(status);
}
