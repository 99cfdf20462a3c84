/* SPDX-License-Identifier: MIT */
/* free_address.c - free the address given */
#include "misuse.h"

int main(int argc, char **argv)
{
	void *p = (void *)(uintptr_t)strtoull(argv[argc - 1], NULL, 0);

	free(say(p, p));
	return 0;
}
