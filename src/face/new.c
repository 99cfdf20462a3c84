/* SPDX-License-Identifier: MIT */
/*
 * new.c - operator new and delete, in C
 *
 * What    The same doors as malloc and free. A failure calls the new-handler and
 *         then std::__throw_bad_alloc, both found when they are needed: a C
 *         program never loads a C++ library for us.
 * Why     Compiled with -fexceptions, so that what the handler or bad_alloc throws
 *         passes through these frames.
 * Source  ISO C++ [new.delete]; names as the Itanium C++ ABI mangles them
 */
#include <dlfcn.h>
#include <stdint.h>

#include "cache/kmalloc.h"
#include "cache/option.h"
#include "face/face.h"
#include "port/port.h"

typedef void (*new_handler)(void);

/* A function of the C++ library: in the program's scope, or in a library that a plugin brought. */
static void *new_find(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++.so.1",
						 "libc++abi.so.1" };
	void *found = dlsym(RTLD_DEFAULT, name);

	for (unsigned i = 0; !found && i < ARRAY_SIZE(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);

		if (library)
			found = dlsym(library, name);
	}
	return found;
}

/* Call the program's new-handler; false iff it has none. */
static bool new_call_handler(void)
{
	new_handler (*get)(void);
	new_handler handler;

	*(void **)&get = new_find("_ZSt15get_new_handlerv");
	handler = get ? get() : NULL;
	if (!handler)
		return false;
	handler();
	return true;
}

static void new_throw(void)
{
	void (*throw_bad_alloc)(void);

	*(void **)&throw_bad_alloc = new_find("_ZSt17__throw_bad_allocv");
	if (throw_bad_alloc)
		throw_bad_alloc();
	port_write("ashlar: operator new: out of memory\n", 36);
	port_abort();
}

static noinline void *new_slow(size_t size, size_t align)
{
	for (;;) {
		void *p = align > GRANULE_SIZE ? malloc_aligned(align, size) : malloc_slow(size);

		if (p)
			return p;
		if (!new_call_handler())
			new_throw();
	}
}

/* The nothrow forms: the C++ library's own calls the throwing one and catches. */
static noinline void *new_nothrow(const char *name, size_t size, size_t align)
{
	void *p = align > GRANULE_SIZE ? malloc_aligned(align, size) : malloc_slow(size);
	void *(*next)(size_t, const void *);
	void *(*next_aligned)(size_t, size_t, const void *);
	void *tag;

	if (p)
		return p;
	tag = dlsym(RTLD_DEFAULT, "_ZSt7nothrow");
	if (align > GRANULE_SIZE) {
		*(void **)&next_aligned = dlsym(RTLD_NEXT, name);
		return next_aligned ? next_aligned(size, align, tag) : NULL;
	}
	*(void **)&next = dlsym(RTLD_NEXT, name);
	return next ? next(size, tag) : NULL;
}

static always_inline void *new_fast(size_t size)
{
	void *p;

	return likely(kmalloc_pop(size, &p)) ? p : new_slow(size, 1);
}

static always_inline void delete_fast(void *p, const char *function)
{
	enum kmalloc_push how = kmalloc_push(p);

	if (unlikely(how != KMALLOC_PUSHED))
		free_slow(p, how, function);
}

/* A sized delete names the size of the type; more than the object has is a wrong type. */
static always_inline void delete_sized(void *p, size_t size, const char *function)
{
	if (!kmalloc_is_class(p, size) && p && !preload_inert && !options.foreign_libc &&
	    size > kmalloc_usable(p, function))
		report_size(function, p, size);
	delete_fast(p, function);
}

#define NEW_LINK(name) __asm__(#name) FACE_PUBLIC

void *new_one(size_t size) NEW_LINK(_Znwm);
void *new_array(size_t size) NEW_LINK(_Znam);
void *new_one_nothrow(size_t size, const void *tag) NEW_LINK(_ZnwmRKSt9nothrow_t);
void *new_array_nothrow(size_t size, const void *tag) NEW_LINK(_ZnamRKSt9nothrow_t);
void *new_one_aligned(size_t size, size_t align) NEW_LINK(_ZnwmSt11align_val_t);
void *new_array_aligned(size_t size, size_t align) NEW_LINK(_ZnamSt11align_val_t);
void *new_one_aligned_nothrow(size_t size, size_t align, const void *tag)
	NEW_LINK(_ZnwmSt11align_val_tRKSt9nothrow_t);
void *new_array_aligned_nothrow(size_t size, size_t align, const void *tag)
	NEW_LINK(_ZnamSt11align_val_tRKSt9nothrow_t);
void delete_one(void *p) NEW_LINK(_ZdlPv);
void delete_array(void *p) NEW_LINK(_ZdaPv);
void delete_one_sized(void *p, size_t size) NEW_LINK(_ZdlPvm);
void delete_array_sized(void *p, size_t size) NEW_LINK(_ZdaPvm);
void delete_one_nothrow(void *p, const void *tag) NEW_LINK(_ZdlPvRKSt9nothrow_t);
void delete_array_nothrow(void *p, const void *tag) NEW_LINK(_ZdaPvRKSt9nothrow_t);
void delete_one_aligned(void *p, size_t align) NEW_LINK(_ZdlPvSt11align_val_t);
void delete_array_aligned(void *p, size_t align) NEW_LINK(_ZdaPvSt11align_val_t);
void delete_one_sized_aligned(void *p, size_t size, size_t align) NEW_LINK(_ZdlPvmSt11align_val_t);
void delete_array_sized_aligned(void *p, size_t size, size_t align)
	NEW_LINK(_ZdaPvmSt11align_val_t);
void delete_one_aligned_nothrow(void *p, size_t align, const void *tag)
	NEW_LINK(_ZdlPvSt11align_val_tRKSt9nothrow_t);
void delete_array_aligned_nothrow(void *p, size_t align, const void *tag)
	NEW_LINK(_ZdaPvSt11align_val_tRKSt9nothrow_t);

fast_door void *new_one(size_t size)
{
	return new_fast(size);
}

fast_door void *new_array(size_t size)
{
	return new_fast(size);
}

void *new_one_nothrow(size_t size, const void *tag)
{
	(void)tag;
	return new_nothrow("_ZnwmRKSt9nothrow_t", size, 1);
}

void *new_array_nothrow(size_t size, const void *tag)
{
	(void)tag;
	return new_nothrow("_ZnamRKSt9nothrow_t", size, 1);
}

void *new_one_aligned(size_t size, size_t align)
{
	return new_slow(size, align);
}

void *new_array_aligned(size_t size, size_t align)
{
	return new_slow(size, align);
}

void *new_one_aligned_nothrow(size_t size, size_t align, const void *tag)
{
	(void)tag;
	return new_nothrow("_ZnwmSt11align_val_tRKSt9nothrow_t", size, align);
}

void *new_array_aligned_nothrow(size_t size, size_t align, const void *tag)
{
	(void)tag;
	return new_nothrow("_ZnamSt11align_val_tRKSt9nothrow_t", size, align);
}

fast_door void delete_one(void *p)
{
	delete_fast(p, "operator delete");
}

fast_door void delete_array(void *p)
{
	delete_fast(p, "operator delete[]");
}

fast_door void delete_one_sized(void *p, size_t size)
{
	delete_sized(p, size, "operator delete");
}

fast_door void delete_array_sized(void *p, size_t size)
{
	delete_sized(p, size, "operator delete[]");
}

void delete_one_nothrow(void *p, const void *tag)
{
	(void)tag;
	delete_fast(p, "operator delete");
}

void delete_array_nothrow(void *p, const void *tag)
{
	(void)tag;
	delete_fast(p, "operator delete[]");
}

void delete_one_aligned(void *p, size_t align)
{
	(void)align;
	delete_fast(p, "operator delete");
}

void delete_array_aligned(void *p, size_t align)
{
	(void)align;
	delete_fast(p, "operator delete[]");
}

void delete_one_sized_aligned(void *p, size_t size, size_t align)
{
	(void)align;
	delete_sized(p, size, "operator delete");
}

void delete_array_sized_aligned(void *p, size_t size, size_t align)
{
	(void)align;
	delete_sized(p, size, "operator delete[]");
}

void delete_one_aligned_nothrow(void *p, size_t align, const void *tag)
{
	(void)align;
	(void)tag;
	delete_fast(p, "operator delete");
}

void delete_array_aligned_nothrow(void *p, size_t align, const void *tag)
{
	(void)align;
	(void)tag;
	delete_fast(p, "operator delete[]");
}
