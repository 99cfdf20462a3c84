/* SPDX-License-Identifier: MIT */
/* free_mapped.c - free a page of a mapping of the program's own */
#include <sys/mman.h>

#include "misuse.h"

int main(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free(say(p + 4096, p));
	return 0;
}
