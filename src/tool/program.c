/* SPDX-License-Identifier: MIT */
/*
 * program.c - see program.h
 *
 * Source  execve(2), ld.so(8) on LD_PRELOAD, elf(5)
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "program.h"

#define PROGRAM_SCRIPT_LEVELS 4 /* as many interpreters of interpreters as the kernel follows */
#define PROGRAM_DYNAMIC_MAX 4096
#define PROGRAM_SYMBOLS_MAX ((size_t)1 << 24)

static void program_verdict(struct program_facts *f, enum program_verdict verdict,
			    const char *short_why, char *why)
{
	f->verdict = verdict;
	free(f->short_why);
	f->short_why = tool_text("%s", short_why);
	free(f->why);
	f->why = why;
}

void program_facts_free(struct program_facts *f)
{
	free(f->why);
	free(f->short_why);
	*f = (struct program_facts){ 0 };
}

/* ---- the path ----------------------------------------------------------------------- */

static bool program_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The file that execvp would take, or NULL; one that may not be executed only if no other is
 * there. Freed by the caller. */
static char *program_find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *second = NULL;

	if (strchr(name, '/'))
		return program_is_file(name) ? tool_text("%s", name) : NULL;
	if (!path)
		path = "/bin:/usr/bin";
	while (*name) {
		size_t length = strcspn(path, ":");
		char *file = tool_text("%.*s%s%s", (int)length, path, length ? "/" : "./", name);

		if (program_is_file(file) && access(file, X_OK) == 0) {
			free(second);
			return file;
		}
		if (program_is_file(file) && !second)
			second = file;
		else
			free(file);
		if (!path[length])
			break;
		path += length + 1;
	}
	return second;
}

/* The program that runs the script @fd, or NULL if it is none: `#!/usr/bin/env python3` gives
 * python3. Freed by the caller. */
static char *program_interpreter(int fd)
{
	char line[256] = "";
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	char *save;
	char *word;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	word = strtok_r(line + 2, " \t", &save);
	if (!word)
		return NULL;
	if (strlen(word) >= 4 && strcmp(word + strlen(word) - 4, "/env") == 0) {
		char *argument = strtok_r(NULL, " \t", &save);

		while (argument && (argument[0] == '-' || strchr(argument, '=')))
			argument = strtok_r(NULL, " \t", &save);
		if (argument)
			word = argument;
	}
	return program_find_program(word);
}

/* ---- symbols ------------------------------------------------------------------------ */

/* What the dynamic symbols of a program tell. */
struct program_symbols {
	bool malloc_defined;
	const char *sanitizer; /* its name, or NULL */
};

static void program_note_symbol(struct program_symbols *s, const char *name, bool defined)
{
	static const struct {
		const char *symbol;
		const char *sanitizer;
	} signs[] = {
		{ "__asan_init", "AddressSanitizer" },
		{ "__hwasan_init", "HWAddressSanitizer" },
		{ "__tsan_init", "ThreadSanitizer" },
		{ "__msan_init", "MemorySanitizer" },
		{ "__lsan_do_leak_check", "LeakSanitizer" },
	};

	if (defined && (strcmp(name, "malloc") == 0 || strcmp(name, "free") == 0 ||
			strcmp(name, "realloc") == 0))
		s->malloc_defined = true;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcmp(name, signs[i].symbol) == 0)
			s->sanitizer = signs[i].sanitizer;
}

/* Call for each symbol of the section; stops when @name is met and gives its value. */
static bool program_walk_symbols(Elf *elf, Elf_Scn *section, struct program_symbols *note,
				 const char *name, uint64_t *value)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Shdr header;
	size_t count;

	if (!data || !gelf_getshdr(section, &header) || !header.sh_entsize)
		return false;
	count = data->d_size / header.sh_entsize;
	for (size_t i = 0; i < count && i < PROGRAM_SYMBOLS_MAX; i++) {
		GElf_Sym symbol;
		const char *text;

		if (!gelf_getsym(data, (int)i, &symbol))
			return false;
		text = elf_strptr(elf, header.sh_link, symbol.st_name);
		if (!text || GELF_ST_BIND(symbol.st_info) == STB_LOCAL)
			continue;
		if (note)
			program_note_symbol(note, text, symbol.st_shndx != SHN_UNDEF);
		if (name && symbol.st_shndx != SHN_UNDEF && strcmp(text, name) == 0) {
			*value = symbol.st_value;
			return true;
		}
	}
	return false;
}

static bool program_walk_sections(Elf *elf, struct program_symbols *note, const char *name,
				  uint64_t *value)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_DYNSYM || (name && header.sh_type == SHT_SYMTAB)) &&
		    program_walk_symbols(elf, section, note, name, value))
			return true;
	}
	return false;
}

static uint64_t program_lowest_address(Elf *elf)
{
	uint64_t lowest = UINT64_MAX;
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    header.p_vaddr - header.p_offset < lowest)
			lowest = header.p_vaddr - header.p_offset;
	}
	return lowest == UINT64_MAX ? 0 : lowest;
}

bool program_find_symbol(int fd, const char *name, uint64_t *offset)
{
	uint64_t value;
	bool found;
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return false;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	found = elf && elf_kind(elf) == ELF_K_ELF && program_walk_sections(elf, NULL, name, &value);
	if (found)
		*offset = value - program_lowest_address(elf);
	elf_end(elf);
	return found;
}

/* ---- what speaks against it --------------------------------------------------------- */

/* Is there a segment of this type; its text, if it is text. */
static bool program_has_segment(Elf *elf, int fd, uint32_t type, char *text, size_t bytes)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != type)
			continue;
		if (text) {
			ssize_t n = pread(fd, text, bytes - 1, (off_t)header.p_offset);

			text[n > 0 ? n : 0] = '\0';
		}
		return true;
	}
	return false;
}

/* Was it linked as a program at any address? Without an interpreter that is -static-pie; the
 * loader itself has none either, and is no such program. */
static bool program_is_pie(Elf *elf)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;
		GElf_Dyn entry;
		Elf_Data *data;

		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_DYNAMIC)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)header.p_offset, header.p_filesz,
					    ELF_T_DYN);
		for (int k = 0; data && k < PROGRAM_DYNAMIC_MAX && gelf_getdyn(data, k, &entry);
		     k++)
			if (entry.d_tag == DT_FLAGS_1)
				return entry.d_un.d_val & DF_1_PIE;
	}
	return false;
}

/* The machine that this command, and so the library beside it, is for. */
static bool program_is_ours(Elf *elf)
{
	GElf_Ehdr theirs;
	GElf_Ehdr ours;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf *self = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	bool same = true;

	if (self && gelf_getehdr(self, &ours) && gelf_getehdr(elf, &theirs))
		same = ours.e_machine == theirs.e_machine &&
		       ours.e_ident[EI_CLASS] == theirs.e_ident[EI_CLASS];
	elf_end(self);
	if (fd >= 0)
		close(fd);
	return same;
}

static void program_inspect_object(struct program_facts *f, Elf *elf, int fd)
{
	struct program_symbols symbols = { 0 };
	char interpreter[64] = "";

	if (!program_is_ours(elf)) {
		program_verdict(f, PROGRAM_MUST_NOT, "is for another processor",
				tool_text("is for another processor than Ashlar: it runs without"));
		return;
	}
	if (!program_has_segment(elf, fd, PT_INTERP, interpreter, sizeof(interpreter)) &&
	    (!program_has_segment(elf, fd, PT_DYNAMIC, NULL, 0) || program_is_pie(elf))) {
		program_verdict(
			f, PROGRAM_IGNORES, "is static",
			tool_text("is a static program: nothing can be preloaded, it keeps its "
				  "own malloc"));
		return;
	}
	if (strstr(interpreter, "ld-musl")) {
		program_verdict(
			f, PROGRAM_MUST_NOT, "uses another C library",
			tool_text("uses another C library (musl) than Ashlar was built for: it "
				  "runs without"));
		return;
	}
	program_walk_sections(elf, &symbols, NULL, NULL);
	if (symbols.sanitizer)
		program_verdict(
			f, PROGRAM_MUST_NOT, "is built with a sanitizer",
			tool_text("is built with %s, which needs its own malloc: it runs without "
				  "Ashlar",
				  symbols.sanitizer));
	else if (symbols.malloc_defined)
		program_verdict(f, PROGRAM_IGNORES, "has its own malloc",
				tool_text("brings its own malloc: Ashlar stays out of its way"));
}

/* Set-user-ID and the like make ld.so ignore LD_PRELOAD, unless nothing is gained by it. */
static void program_inspect_rights(struct program_facts *f, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		program_verdict(f, PROGRAM_IGNORES, "is setuid",
				tool_text("is a setuid program: it ignores LD_PRELOAD"));
	else if ((st.st_mode & S_ISGID) && st.st_gid != getgid())
		program_verdict(f, PROGRAM_IGNORES, "is setgid",
				tool_text("is a setgid program: it ignores LD_PRELOAD"));
	else if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		program_verdict(f, PROGRAM_IGNORES, "has file capabilities",
				tool_text("has file capabilities: it ignores LD_PRELOAD"));
}

static void program_inspect_file(struct program_facts *f, int fd)
{
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		program_inspect_object(f, elf, fd);
		if (f->verdict == PROGRAM_SERVES)
			program_inspect_rights(f, fd);
	}
	elf_end(elf);
}

void program_inspect(struct program_facts *f, const char *name)
{
	char *path = program_find_program(name);

	*f = (struct program_facts){ 0 };
	if (!path) {
		struct stat st;
		bool is_folder = strchr(name, '/') && stat(name, &st) == 0;

		program_verdict(f, is_folder ? PROGRAM_CANNOT_RUN : PROGRAM_NOT_FOUND, "",
				tool_text("%s", is_folder ? "is a directory" : "not found"));
		return;
	}
	if (access(path, X_OK) != 0)
		program_verdict(f, PROGRAM_CANNOT_RUN, "",
				tool_text("cannot be executed: %s", strerror(errno)));
	for (int level = 0; path && f->verdict == PROGRAM_SERVES && level < PROGRAM_SCRIPT_LEVELS;
	     level++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		free(path);
		path = NULL;
		if (fd < 0)
			break; /* may be executed, but not read: nothing is known */
		path = program_interpreter(fd);
		if (!path)
			program_inspect_file(f, fd);
		close(fd);
	}
	free(path);
}
