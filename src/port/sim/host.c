/* SPDX-License-Identifier: MIT */
/*
 * host.c - the simulated machine in a process
 */
#define _GNU_SOURCE
#include "port/sim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOST_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

void *sim_host_reserve(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_NONE, HOST_FLAGS, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

void sim_host_release(void *start, size_t bytes)
{
	munmap(start, bytes);
}

bool sim_host_open(void *start, size_t bytes, bool write)
{
	return mprotect(start, bytes, write ? PROT_READ | PROT_WRITE : PROT_READ) == 0;
}

void sim_host_close(void *start, size_t bytes)
{
	if (mmap(start, bytes, PROT_NONE, HOST_FLAGS | MAP_FIXED, -1, 0) != start)
		abort();
}

/* The kernel finds out, and says EFAULT. */
bool sim_host_is_open(const void *p)
{
	int ends[2];
	bool open;

	if (pipe(ends) != 0)
		abort();
	open = write(ends[1], p, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return open;
}

bool sim_host_clear(void *start, size_t bytes)
{
	return madvise(start, bytes, MADV_DONTNEED) == 0;
}

void *sim_host_block(size_t bytes, size_t align)
{
	const size_t huge = (size_t)2 << 20;
	void *block;

	if (posix_memalign(&block, bytes < huge || align > huge ? align : huge, bytes) != 0)
		return NULL;
	if (bytes >= huge) /* or each of its pages costs a fault, in each of the runs of a case */
		madvise(block, bytes, MADV_HUGEPAGE);
	return block;
}

void sim_host_block_free(void *block)
{
	free(block);
}

_Noreturn void sim_host_die(const char *why)
{
	fputs(why, stderr);
	abort();
}
