/* SPDX-License-Identifier: MIT */
/* free_aligned_sized_wrong.c - free_aligned_sized, as free_sized_wrong.c, aligned to 64 bytes */
#include "misuse.h"

void free_aligned_sized(void *p, size_t alignment, size_t size);

int main(int argc, char **argv)
{
	void *p = aligned_alloc(64, strtoul(argv[argc - 2], NULL, 10));

	free_aligned_sized(say(p, p), 64, strtoul(argv[argc - 1], NULL, 10));
	return 0;
}
