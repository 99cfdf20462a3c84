/* SPDX-License-Identifier: MIT */
/*
 * trace.c - who called: stacks and names, for debugging (Linux)
 *
 * What    Frames come from libgcc's unwinder, which is loaded when somebody asks for
 *         stacks and not before; names from the dynamic symbol tables of what is loaded.
 * Why     Programs are compiled without frame pointers. backtrace(3) loads the unwinder at its
 *         first call and so calls malloc; dladdr(3) waits for the loader's lock. Here loading
 *         has its moment, the unwinder finds tables without a lock (_dl_find_object, glibc
 *         2.35), and names are read from the tables directly.
 * Rules   TR1  after port_trace_start, neither memory nor a lock is asked for
 *         TR2  frames in a library of Ashlar's own are left out
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include "port/linux/linux.h"
#include "port/port.h"

typedef _Unwind_Reason_Code trace_backtrace(_Unwind_Trace_Fn, void *);
typedef void *trace_open(const char *, int);
typedef _Unwind_Ptr trace_get_ip(struct _Unwind_Context *);
typedef const char *trace_version(void);
typedef void trace_begin(int argc, char **argv, char **env);

static struct {
	trace_backtrace *backtrace; /* NULL: no stacks */
	trace_get_ip *get_ip;
	bool busy; /* it is being loaded */
} trace;

/* What the linker knows of the file that this code is in. */
extern const char __ehdr_start[] __attribute__((weak, visibility("hidden")));
extern const char etext[] __attribute__((weak, visibility("hidden")));

#pragma weak _dl_find_object

/* A value in the dynamic section; 0: there is none. */
static uintptr_t trace_dynamic(const struct link_map *m, int64_t tag)
{
	for (const Elf64_Dyn *d = m->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d->d_un.d_val;
	return 0;
}

/* An address there; some are relative to the file's start. */
static uintptr_t trace_table(const struct link_map *m, int64_t tag)
{
	uintptr_t at = trace_dynamic(m, tag);

	return at && at < m->l_addr ? at + m->l_addr : at;
}

/* This library starts before libc does (-z initfirst). dlopen would start libc now, once and for
 * all, with what libc itself knows of the program's arguments and environment: nothing yet. So it
 * is told, as far as it can be. false: libc had started. */
static bool trace_prepare_libc(void)
{
	char **argv = linux_arguments();
	char ***libc_argv;

	if (environ || !argv)
		return false;
	*(void **)&libc_argv = dlsym(RTLD_DEFAULT, "__libc_argv");
	if (libc_argv && !*libc_argv)
		*libc_argv = argv;
	while (*argv)
		argv++;
	environ = argv + 1;
	return true;
}

/* What cannot be told is the number of arguments, which every dlopen hands on to constructors: libc
 * notes it when it starts. So its own constructors run once more, with what the loader would have
 * given to them. Those of glibc 2.36 do no more than note such things; others' were not looked at:
 * with these the number stays 0. */
static void trace_tell_libc(void)
{
	char **argv = linux_arguments();
	trace_version *inside;
	struct dl_find_object found;
	trace_begin *const *begin;
	size_t count;

	*(void **)&inside = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	if (!inside || strcmp(inside(), "2.36") != 0 || !_dl_find_object ||
	    _dl_find_object(*(void **)&inside, &found) != 0)
		return;
	begin = (trace_begin *const *)trace_table(found.dlfo_link_map, DT_INIT_ARRAY);
	count = trace_dynamic(found.dlfo_link_map, DT_INIT_ARRAYSZ) / sizeof(*begin);
	for (size_t i = 0; begin && i < count; i++)
		begin[i]((int)((long *)argv)[-1], argv, environ);
}

void port_trace_start(void)
{
	trace_backtrace *found = NULL;
	trace_open *load;
	void *library;
	bool early;

	if (__atomic_exchange_n(&trace.busy, true, __ATOMIC_ACQ_REL))
		return;
	/* Looked up, since a static program has none and its linker would complain. */
	*(void **)&load = dlsym(RTLD_DEFAULT, "dlopen");
	early = trace_prepare_libc();
	library = load ? load("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
	if (early && load)
		trace_tell_libc();
	if (!library)
		return;
	*(void **)&trace.get_ip = dlsym(library, "_Unwind_GetIP");
	*(void **)&found = dlsym(library, "_Unwind_Backtrace");
	if (trace.get_ip)
		__atomic_store_n(&trace.backtrace, found, __ATOMIC_RELEASE);
}

uint32_t port_thread(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

struct trace_walk {
	struct port_trace *trace;
	unsigned count;
	unsigned left; /* frames looked at, at most */
};

/* TR2; a program that contains us (libashlar.a) is not left out. */
static bool trace_is_ours(uintptr_t at)
{
	uintptr_t start = (uintptr_t)__ehdr_start;

	if (!start || getauxval(AT_PHDR) - start < 4096)
		return false;
	return at - start < (uintptr_t)etext - start;
}

static _Unwind_Reason_Code trace_step(struct _Unwind_Context *context, void *data)
{
	struct trace_walk *w = data;
	uintptr_t at = (uintptr_t)trace.get_ip(context);

	if (!at || w->count == PORT_TRACE_FRAMES || w->left-- == 0)
		return _URC_END_OF_STACK;
	if (w->count || !trace_is_ours(at))
		w->trace->frames[w->count++] = (void *)at;
	return _URC_NO_REASON;
}

void port_trace(struct port_trace *t)
{
	trace_backtrace *backtrace = __atomic_load_n(&trace.backtrace, __ATOMIC_ACQUIRE);
	struct trace_walk walk = { .trace = t, .left = PORT_TRACE_FRAMES + 16 };
	struct timespec now;

	*t = (struct port_trace){ .cpu = port_cpu() };
	t->thread = port_thread();
	if (clock_gettime(CLOCK_MONOTONIC, &now) == 0)
		t->now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (backtrace)
		backtrace(trace_step, &walk);
}

/* ---- names ------------------------------------------------------------------------------ */

/* Number of symbols that a GNU hash table describes: the end of the longest chain. */
static uint32_t trace_count_symbols(const uint32_t *hash)
{
	uint32_t buckets = hash[0];
	uint32_t first = hash[1];
	const uint32_t *bucket = hash + 4 + hash[2] * (sizeof(Elf64_Addr) / sizeof(uint32_t));
	const uint32_t *chain = bucket + buckets;
	uint32_t last = 0;

	for (uint32_t i = 0; i < buckets; i++)
		last = bucket[i] > last ? bucket[i] : last;
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

/* The exported function that holds @address, or NULL; *@offset is how far inside. */
static const char *trace_function(const struct link_map *m, uintptr_t address, size_t *offset)
{
	const Elf64_Sym *symbols = (const Elf64_Sym *)trace_table(m, DT_SYMTAB);
	const char *names = (const char *)trace_table(m, DT_STRTAB);
	const uint32_t *hash = (const uint32_t *)trace_table(m, DT_GNU_HASH);
	uint32_t count = hash ? trace_count_symbols(hash) : 0;

	for (uint32_t i = 0; symbols && names && i < count; i++) {
		size_t from = address - m->l_addr - symbols[i].st_value;

		if (symbols[i].st_shndx == SHN_UNDEF || from >= symbols[i].st_size ||
		    ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC)
			continue;
		*offset = from;
		return names + symbols[i].st_name;
	}
	return NULL;
}

static const char *trace_file(const struct link_map *m, char *text, size_t bytes)
{
	const char *path = m->l_name;
	const char *slash;

	if (!path || !*path) {
		ssize_t n = readlink("/proc/self/exe", text, bytes - 1);

		if (n <= 0)
			return "program";
		text[n] = '\0';
		path = text;
	}
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* A return address may be the first byte of the next function: the call is one before it. */
void port_symbol(const void *address, char *text, size_t bytes)
{
	uintptr_t call = (uintptr_t)address - 1;
	struct dl_find_object found;
	char path[256];
	const char *file;
	const char *function;
	size_t offset = 0;

	text[0] = '\0';
	if (!_dl_find_object || _dl_find_object((void *)call, &found) != 0)
		return;
	file = trace_file(found.dlfo_link_map, path, sizeof(path));
	function = trace_function(found.dlfo_link_map, call, &offset);
	if (function)
		snprintf(text, bytes, "%s+0x%zx (%s)", function, offset + 1, file);
	else
		snprintf(text, bytes, "%s+0x%zx", file,
			 (size_t)(call + 1 - found.dlfo_link_map->l_addr));
}
