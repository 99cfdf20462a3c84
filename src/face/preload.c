/* SPDX-License-Identifier: MIT */
/*
 * preload.c - whose malloc is it, and what lies behind ours
 *
 * What    When the program brings its own malloc, ours stays inert: no arena, no
 *         slab, every name goes on to the next definition. Otherwise the next
 *         definitions serve only pointers that libc itself allocated, with
 *         foreign=libc. RTLD_DEEPBIND is taken off dlopen (dlopen.c), as it would
 *         bind a library to libc's malloc while the rest of the process uses ours.
 * State   what dlsym found, once
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>

#include "cache/init.h"
#include "cache/option.h"
#include "face/face.h"

bool preload_inert;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void (*free)(void *);
	size_t (*usable)(void *);
} next;

static void preload_find(void **function, const char *name)
{
	if (!*function)
		*function = dlsym(RTLD_NEXT, name);
}

void *preload_next_malloc(size_t size)
{
	preload_find((void **)&next.malloc, "malloc");
	return next.malloc(size);
}

void *preload_next_calloc(size_t count, size_t size)
{
	preload_find((void **)&next.calloc, "calloc");
	return next.calloc(count, size);
}

void *preload_next_realloc(void *p, size_t size)
{
	preload_find((void **)&next.realloc, "realloc");
	return next.realloc(p, size);
}

void *preload_next_memalign(size_t align, size_t size)
{
	preload_find((void **)&next.memalign, "memalign");
	return next.memalign(align, size);
}

void preload_next_free(void *p)
{
	preload_find((void **)&next.free, "free");
	next.free(p);
}

size_t preload_next_usable(void *p)
{
	preload_find((void **)&next.usable, "malloc_usable_size");
	return next.usable(p);
}

/*
 * Is the global @name our @ours? In a program that is not position independent and takes the
 * function's address, the name's one address is a stub in the program itself, which has no
 * definition: it leads to the next one, which is ours when we are preloaded.
 */
static bool preload_is_ours(const char *name, void *ours)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	ElfW(Sym) *symbol = NULL;
	Dl_info where;

	if (found == ours || !found)
		return true;
	return dladdr1(found, &where, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
	       symbol->st_shndx == SHN_UNDEF;
}

/* Are the program's malloc, free and realloc ours? What was allocated before anybody asked was
 * allocated by ours, so then they are. */
bool preload_decide(void)
{
	if (init_begun())
		return true;
	preload_inert = !preload_is_ours("malloc", (void *)malloc) ||
			!preload_is_ours("free", (void *)free) ||
			!preload_is_ours("realloc", (void *)realloc);
	return !preload_inert;
}
