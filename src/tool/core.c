/* SPDX-License-Identifier: MIT */
/*
 * core.c - see core.h
 *
 * Rules   CR1  every number of the file is compared with the file's size before it is used
 * Source  core(5); elf(5) on NT_FILE and NT_PRPSINFO
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"

#define CORE_PARTS_MAX 1000000u /* segments, mapped files */

struct core_segment {
	uint64_t start;
	uint64_t bytes;  /* in the file */
	uint64_t offset; /* in the file */
};

/* The segment that holds @address, or NULL. */
static const struct core_segment *core_find(const struct target *t, uint64_t address)
{
	size_t low = 0;
	size_t high = t->nr_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct core_segment *s = &t->segments[middle];

		if (address < s->start)
			high = middle;
		else if (address - s->start >= s->bytes)
			low = middle + 1;
		else
			return s;
	}
	return NULL;
}

bool core_read(struct target *t, uint64_t address, void *to, size_t bytes)
{
	char *at = to;

	while (bytes) {
		const struct core_segment *s = core_find(t, address);
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

static int core_compare(const void *a, const void *b)
{
	const struct core_segment *x = a;
	const struct core_segment *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool core_read_segments(struct target *t, Elf *elf, uint64_t file_bytes)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0 || count > CORE_PARTS_MAX)
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
			(struct core_segment){ h.p_vaddr, h.p_filesz, h.p_offset };
	}
	qsort(t->segments, t->nr_segments, sizeof(t->segments[0]), core_compare);
	return true;
}

/* NT_FILE: count, page size, then start, end and offset in pages of each, then the names. */
static size_t core_parse_note(const uint64_t *words, size_t bytes, struct target_file **files)
{
	const char *name;
	const char *end = (const char *)words + bytes;
	struct target_file *list;
	size_t n = 0;

	if (bytes < 16 || words[0] > CORE_PARTS_MAX || bytes / 24 < words[0])
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

static void core_take_psinfo(struct target *t, const void *data, size_t bytes)
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

static size_t core_read_notes(struct target *t, Elf *elf, struct target_file **files)
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
				core_take_psinfo(t, bytes, note.n_descsz);
			if (note.n_type == NT_FILE && !found) {
				uint64_t *copy = tool_alloc(note.n_descsz + 8);

				memcpy(copy, bytes, note.n_descsz);
				found = core_parse_note(copy, note.n_descsz, files);
				free(copy);
			}
		}
	}
	return found;
}

bool core_open(struct target *t)
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
	} else if (!core_read_segments(t, elf, (uint64_t)st.st_size)) {
		tool_say("%s: the core file is damaged", t->name);
	} else {
		count = core_read_notes(t, elf, &files);
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
