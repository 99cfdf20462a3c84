/* SPDX-License-Identifier: MIT */
/*
 * sysfs.c - see sysfs.h
 *
 * What    A directory for each cache, in it a file for each attribute that has a meaning here: the
 *         kernel's names, its numbers, its way to write them. What counts objects or slabs is
 *         followed by the same of each node.
 * Why     The kernel's slabinfo reads this directory, and so do monitoring programs.
 * Rules   SY1 one table says all: name, value, form
 *         SY2 a name from outside becomes a name of a directory: no '/', no '.' in front
 * Source  Linux Documentation/ABI/testing/sysfs-kernel-slab
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

enum sysfs_form {
	SYSFS_NUMBER,  /* "64" */
	SYSFS_NODES,   /* "64 N0=64": a count of all nodes, then of each */
	SYSFS_ADDRESS, /* "0x...", empty if there is none */
	SYSFS_EMPTY,   /* only for writing, in the kernel */
};

/* The flags of ashlar/slab.h, which are the kernel's. */
enum sysfs_flag {
	SYSFS_CONSISTENCY_CHECKS = 0x100,
	SYSFS_RED_ZONE = 0x400,
	SYSFS_POISON = 0x800,
	SYSFS_HWCACHE_ALIGN = 0x2000,
	SYSFS_CACHE_DMA = 0x4000,
	SYSFS_STORE_USER = 0x10000,
	SYSFS_RECLAIM_ACCOUNT = 0x20000,
	SYSFS_TYPESAFE_BY_RCU = 0x80000,
	SYSFS_TRACE = 0x200000,
	SYSFS_FAILSLAB = 0x2000000,
};

struct sysfs_attribute {
	const char *name;
	enum sysfs_form form;
	uint64_t (*value)(const struct ashlar_row *r); /* NULL: a flag */
	uint32_t flag;
	uint32_t debug; /* a flag of debugging */
};

static uint64_t sysfs_minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t sysfs_align(const struct ashlar_row *r)
{
	return r->align;
}

static uint64_t sysfs_ctor(const struct ashlar_row *r)
{
	return r->ctor;
}

static uint64_t sysfs_object_size(const struct ashlar_row *r)
{
	return r->object_size;
}

static uint64_t sysfs_slab_size(const struct ashlar_row *r)
{
	return r->stride;
}

static uint64_t sysfs_objs_per_slab(const struct ashlar_row *r)
{
	return r->objects;
}

static uint64_t sysfs_order(const struct ashlar_row *r)
{
	return r->order;
}

static uint64_t sysfs_capacity(const struct ashlar_row *r)
{
	return r->debug ? 0 : r->limit;
}

static uint64_t sysfs_slabs(const struct ashlar_row *r)
{
	return r->slabs;
}

static uint64_t sysfs_partial(const struct ashlar_row *r)
{
	return sysfs_minus(r->slabs, r->slabs_full + r->slabs_empty);
}

static uint64_t sysfs_total_objects(const struct ashlar_row *r)
{
	return heap_row_total(r);
}

/* As in /proc/slabinfo: what waits in arrays has left its slab. */
static uint64_t sysfs_objects(const struct ashlar_row *r)
{
	return sysfs_minus(heap_row_total(r), r->objects_free);
}

static uint64_t sysfs_objects_partial(const struct ashlar_row *r)
{
	return sysfs_minus(sysfs_objects(r), heap_times(r->slabs_full, r->objects));
}

/* SY1 */
static const struct sysfs_attribute sysfs_attributes[] = {
	{ "align", SYSFS_NUMBER, .value = sysfs_align },
	{ "cache_dma", SYSFS_NUMBER, .flag = SYSFS_CACHE_DMA },
	{ "ctor", SYSFS_ADDRESS, .value = sysfs_ctor },
	{ "destroy_by_rcu", SYSFS_NUMBER, .flag = SYSFS_TYPESAFE_BY_RCU },
	{ "failslab", SYSFS_NUMBER, .debug = SYSFS_FAILSLAB },
	{ "hwcache_align", SYSFS_NUMBER, .flag = SYSFS_HWCACHE_ALIGN },
	{ "object_size", SYSFS_NUMBER, .value = sysfs_object_size },
	{ "objects", SYSFS_NODES, .value = sysfs_objects },
	{ "objects_partial", SYSFS_NODES, .value = sysfs_objects_partial },
	{ "objs_per_slab", SYSFS_NUMBER, .value = sysfs_objs_per_slab },
	{ "order", SYSFS_NUMBER, .value = sysfs_order },
	{ "partial", SYSFS_NODES, .value = sysfs_partial },
	{ "poison", SYSFS_NUMBER, .debug = SYSFS_POISON },
	{ "reclaim_account", SYSFS_NUMBER, .flag = SYSFS_RECLAIM_ACCOUNT },
	{ "red_zone", SYSFS_NUMBER, .debug = SYSFS_RED_ZONE },
	{ "sanity_checks", SYSFS_NUMBER, .debug = SYSFS_CONSISTENCY_CHECKS },
	{ "sheaf_capacity", SYSFS_NUMBER, .value = sysfs_capacity },
	{ "shrink", SYSFS_EMPTY, .value = sysfs_slabs },
	{ "slab_size", SYSFS_NUMBER, .value = sysfs_slab_size },
	{ "slabs", SYSFS_NODES, .value = sysfs_slabs },
	{ "store_user", SYSFS_NUMBER, .debug = SYSFS_STORE_USER },
	{ "total_objects", SYSFS_NODES, .value = sysfs_total_objects },
	{ "trace", SYSFS_NUMBER, .debug = SYSFS_TRACE },
	{ "validate", SYSFS_EMPTY, .value = sysfs_slabs },
};

#define SYSFS_ATTRIBUTES (sizeof(sysfs_attributes) / sizeof(sysfs_attributes[0]))

static void sysfs_format(char *text, size_t bytes, const struct sysfs_attribute *a,
			 const struct ashlar_row *r)
{
	uint64_t n = a->value ? a->value(r) : (r->flags & a->flag) || (r->debug & a->debug);

	switch (a->form) {
	case SYSFS_NUMBER:
		snprintf(text, bytes, "%" PRIu64 "\n", n);
		return;
	case SYSFS_NODES:
		if (n)
			snprintf(text, bytes, "%" PRIu64 " N0=%" PRIu64 "\n", n, n);
		else
			snprintf(text, bytes, "0\n");
		return;
	case SYSFS_ADDRESS:
		text[0] = '\0';
		if (n)
			snprintf(text, bytes, "0x%" PRIx64 "\n", n);
		return;
	case SYSFS_EMPTY:
		text[0] = '\0';
		return;
	}
}

static bool sysfs_write_file(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t bytes = strlen(text);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, text, bytes) == (ssize_t)bytes;
	return close(fd) == 0 && good;
}

/* The folder @name below @at, made if it is not there; -1 iff that cannot be. */
static int sysfs_open_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0755) != 0 && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool sysfs_write_cache(int root, const char *name, const struct ashlar_row *r)
{
	int folder = sysfs_open_folder(root, name);
	bool good = folder >= 0;
	char text[64];

	for (size_t i = 0; i < SYSFS_ATTRIBUTES && good; i++) {
		sysfs_format(text, sizeof(text), &sysfs_attributes[i], r);
		good = sysfs_write_file(folder, sysfs_attributes[i].name, text);
	}
	if (folder >= 0)
		close(folder);
	return good;
}

/* SY2; several caches of one name get numbers. */
static char *sysfs_name(const struct heap *h, size_t row)
{
	const char *name = h->rows[row].name;
	size_t same = 0;
	char *text;

	for (size_t i = 0; i < row; i++)
		same += strcmp(h->rows[i].name, name) == 0;
	text = same ? tool_text("%s:%zu", name, same + 1) : tool_text("%s", name);
	for (char *c = text; *c; c++)
		if (*c == '/')
			*c = '!'; /* as the kernel does */
	if (text[0] == '.' || !text[0]) {
		free(text);
		text = tool_text(":%zu", row);
	}
	return text;
}

bool sysfs_write(const struct heap *h, const char *path)
{
	int root = sysfs_open_folder(AT_FDCWD, path);
	bool good = root >= 0;

	for (size_t i = 0; i < h->nr_rows && good; i++) {
		char *name = sysfs_name(h, i);

		good = sysfs_write_cache(root, name, &h->rows[i]);
		free(name);
	}
	if (!good)
		tool_say("%s: %s", path, strerror(errno));
	if (root >= 0)
		close(root);
	return good;
}
