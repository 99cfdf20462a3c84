/* SPDX-License-Identifier: MIT */
/*
 * target.c - see target.h
 *
 * Source  proc(5); process_vm_readv(2); core(5); elf(5) on NT_FILE and NT_PRPSINFO
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ashlar/anchor.h"
#include "program.h"
#include "target.h"

#define TARGET_MAPS_MAX 1000000u          /* lines of maps, entries of NT_FILE */
#define TARGET_SCAN_MAX ((size_t)1 << 20) /* bytes of one mapping that are searched */
#define TARGET_ALIGN 8u                   /* the anchor begins at a multiple of this */

struct target_segment {
	uint64_t start;
	uint64_t bytes;  /* in the file */
	uint64_t offset; /* in the file */
};

/* A mapped file: where its first byte is, if all of it were mapped in one piece. */
struct target_file {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	const char *path;
};

/* ---- reading ----------------------------------------------------------------------------- */

static bool target_read_live(struct target *t, uint64_t address, void *to, size_t bytes)
{
	struct iovec here = { to, bytes };
	struct iovec there = { (void *)(uintptr_t)address, bytes };

	if (process_vm_readv((pid_t)t->pid, &here, 1, &there, 1, 0) == (ssize_t)bytes)
		return true;
	return t->fd >= 0 && address <= INT64_MAX &&
	       pread(t->fd, to, bytes, (off_t)address) == (ssize_t)bytes;
}

/* The segment that holds @address, or NULL. */
static const struct target_segment *target_find(const struct target *t, uint64_t address)
{
	size_t low = 0;
	size_t high = t->nr_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct target_segment *s = &t->segments[middle];

		if (address < s->start)
			high = middle;
		else if (address - s->start >= s->bytes)
			low = middle + 1;
		else
			return s;
	}
	return NULL;
}

static bool target_read_core(struct target *t, uint64_t address, void *to, size_t bytes)
{
	char *at = to;

	while (bytes) {
		const struct target_segment *s = target_find(t, address);
		uint64_t inside;
		size_t some;

		if (!s)
			return false;
		inside = address - s->start;
		some = s->bytes - inside < bytes ? (size_t)(s->bytes - inside) : bytes;
		if (pread(t->fd, at, some, (off_t)(s->offset + inside)) != (ssize_t)some)
			return false;
		at += some;
		address += some;
		bytes -= some;
	}
	return true;
}

bool target_read(struct target *t, uint64_t address, void *to, size_t bytes)
{
	if (!bytes || address > UINT64_MAX - bytes)
		return false;
	return t->live ? target_read_live(t, address, to, bytes) :
			 target_read_core(t, address, to, bytes);
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

/* ---- the anchor --------------------------------------------------------------------------- */

static bool target_is_anchor(struct target *t, uint64_t address)
{
	uint64_t magic = 0;

	return address % TARGET_ALIGN == 0 && target_read(t, address, &magic, sizeof(magic)) &&
	       magic == ASHLAR_ANCHOR_MAGIC;
}

/* Is the file one of the libraries, by its name? */
static bool target_is_library(const char *path)
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

/* With both libraries in a process one of them serves: that one, else whichever there is. */
static bool target_find_anchor(struct target *t, const struct target_file *files, size_t count)
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

/* ---- a live process -------------------------------------------------------------------------- */

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

static void target_free_files(struct target_file *files, size_t count)
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
	char byte;

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

/* ---- a core file ------------------------------------------------------------------------------ */

static int target_compare(const void *a, const void *b)
{
	const struct target_segment *x = a;
	const struct target_segment *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool target_read_segments(struct target *t, Elf *elf, uint64_t file_bytes)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0 || count > TARGET_MAPS_MAX)
		return false;
	t->segments = tool_alloc((count + 1) * sizeof(t->segments[0]));
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr h;

		if (!gelf_getphdr(elf, (int)i, &h) || h.p_type != PT_LOAD || !h.p_filesz)
			continue;
		if (h.p_offset >= file_bytes || h.p_vaddr > UINT64_MAX - h.p_filesz)
			continue; /* cut off, or damaged */
		if (h.p_filesz > file_bytes - h.p_offset)
			h.p_filesz = file_bytes - h.p_offset;
		t->segments[t->nr_segments++] =
			(struct target_segment){ h.p_vaddr, h.p_filesz, h.p_offset };
	}
	qsort(t->segments, t->nr_segments, sizeof(t->segments[0]), target_compare);
	return true;
}

/* NT_FILE: count, page size, then start, end and offset in pages of each, then the names. */
static size_t target_parse_note(const uint64_t *words, size_t bytes, struct target_file **files)
{
	const char *name;
	const char *end = (const char *)words + bytes;
	struct target_file *list;
	size_t n = 0;

	if (bytes < 16 || words[0] > TARGET_MAPS_MAX || bytes / 24 < words[0])
		return 0;
	list = tool_alloc((words[0] + 1) * sizeof(list[0]));
	name = (const char *)(words + 2 + 3 * words[0]);
	for (size_t i = 0; i < words[0] && name < end; i++) {
		const uint64_t *w = words + 2 + 3 * i;
		size_t length = strnlen(name, (size_t)(end - name));

		if (name + length == end)
			break; /* no end: damaged */
		if ((i == 0 || target_is_library(name) || strcmp(name, list[0].path) == 0) &&
		    w[1] > w[0])
			list[n++] = (struct target_file){ w[0], w[1], w[2], tool_text("%s", name) };
		if (n == 0)
			break; /* the program itself is damaged */
		name += length + 1;
	}
	*files = list;
	return n;
}

static void target_take_psinfo(struct target *t, const void *data, size_t bytes)
{
	struct elf_prpsinfo info;

	if (bytes < sizeof(info))
		return;
	memcpy(&info, data, sizeof(info));
	info.pr_psargs[sizeof(info.pr_psargs) - 1] = '\0';
	free(t->command);
	t->command = tool_text("%s", info.pr_psargs);
	t->pid = (uint32_t)info.pr_pid;
}

static size_t target_read_notes(struct target *t, Elf *elf, struct target_file **files)
{
	size_t phdrs;
	size_t found = 0;

	if (elf_getphdrnum(elf, &phdrs) != 0)
		return 0;
	for (size_t i = 0; i < phdrs; i++) {
		GElf_Phdr h;
		GElf_Nhdr note;
		Elf_Data *data;
		size_t at = 0;
		size_t name;
		size_t text;

		if (!gelf_getphdr(elf, (int)i, &h) || h.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)h.p_offset, h.p_filesz, ELF_T_NHDR);
		while (data && (at = gelf_getnote(data, at, &note, &name, &text)) > 0) {
			char *bytes = (char *)data->d_buf + text;

			if (note.n_type == NT_PRPSINFO)
				target_take_psinfo(t, bytes, note.n_descsz);
			if (note.n_type == NT_FILE && !found) {
				uint64_t *copy = tool_alloc(note.n_descsz + 8);

				memcpy(copy, bytes, note.n_descsz);
				found = target_parse_note(copy, note.n_descsz, files);
				free(copy);
			}
		}
	}
	return found;
}

static bool target_open_core(struct target *t)
{
	struct target_file *files = NULL;
	GElf_Ehdr header;
	struct stat st;
	size_t count = 0;
	bool found = false;
	Elf *elf;

	t->fd = open(t->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0 || fstat(t->fd, &st) != 0) {
		tool_say("%s: %s", t->name, strerror(errno));
		return false;
	}
	elf_version(EV_CURRENT);
	elf = S_ISREG(st.st_mode) ? elf_begin(t->fd, ELF_C_READ, NULL) : NULL;
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
	    header.e_type != ET_CORE || header.e_ident[EI_CLASS] != ELFCLASS64) {
		tool_say("%s: neither a process nor a core file of a 64-bit process", t->name);
	} else if (!target_read_segments(t, elf, (uint64_t)st.st_size)) {
		tool_say("%s: the core file is damaged", t->name);
	} else {
		count = target_read_notes(t, elf, &files);
		found = target_find_anchor(t, files, count);
		if (!found)
			tool_say("%s: %s", t->name,
				 count ? "not of a process started under Ashlar, or cut off" :
					 "the core file does not say which files were mapped");
	}
	elf_end(elf);
	target_free_files(files, count);
	return found;
}

/* ---- either ------------------------------------------------------------------------------------ */

bool target_open(struct target *t, const char *what)
{
	char *end;
	unsigned long pid;

	*t = (struct target){ .fd = -1 };
	errno = 0;
	pid = strtoul(what, &end, 10);
	if (isdigit((unsigned char)*what) && !*end && errno == 0 && pid > 0 && pid <= INT_MAX &&
	    access(what, F_OK) != 0) {
		t->name = tool_text("PID %lu", pid);
		return target_open_live(t, (uint32_t)pid);
	}
	t->name = tool_text("%s", what);
	return target_open_core(t);
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
