/* SPDX-License-Identifier: MIT */
/*
 * hello.c - the smallest kernel that has Ashlar: all calls, in a process
 *
 * What    16 MiB stand for physical memory; a real kernel reads its firmware's map instead. See
 *         docs/porting.md for the files to copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ashlar/bare.h"
#include "ashlar/slab.h"

#define MEMORY ((size_t)16 << 20)

static _Alignas(8 << 20) char memory[MEMORY];

void ashlar_host_write(const char *text, size_t bytes)
{
	if (write(2, text, bytes) < 0)
		abort();
}

void ashlar_host_panic(void)
{
	abort();
}

/* One CPU: it never waits, and asks nobody. No window: the tables lie in memory. */
void ashlar_host_relax(void)
{
}

void ashlar_host_yield(void)
{
}

void ashlar_host_interrupt(unsigned cpu)
{
	(void)cpu;
}

bool ashlar_host_map(void *address, uint64_t physical, size_t bytes)
{
	(void)address;
	(void)physical;
	(void)bytes;
	return false;
}

bool ashlar_host_map_zeros(void *address, size_t bytes)
{
	(void)address;
	(void)bytes;
	return false;
}

struct inode {
	unsigned number;
	char name[28];
};

int main(void)
{
	/* "Physical" addresses begin at 8 MiB. */
	struct ashlar_boot boot = { .direct = (uintptr_t)memory - (8 << 20),
				    .cpus = 1,
				    .nodes = 1 };
	struct kmem_cache *inodes;
	struct inode *inode;

	ashlar_boot_memory(8 << 20, MEMORY, 0);
	ashlar_boot_take(8 << 20, 1 << 20); /* the kernel's image */
	if (!ashlar_boot_start(&boot))
		return 1;
	inodes = KMEM_CACHE(inode, SLAB_HWCACHE_ALIGN);
	inode = kmem_cache_zalloc(inodes, GFP_KERNEL);
	kfree(kmalloc(1000, GFP_ATOMIC));
	printf("hello, inode at physical 0x%lx\n", (unsigned long)ashlar_virt_to_phys(inode));
	kmem_cache_free(inodes, inode);
	kmem_cache_destroy(inodes);
	return ashlar_audit() != 0;
}
