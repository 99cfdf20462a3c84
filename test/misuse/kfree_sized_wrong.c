/* SPDX-License-Identifier: MIT */
/* kfree_sized_wrong.c - kfree_sized of a block of the size given, with the size given after it */
#include <ashlar/slab.h>

#include "misuse.h"

int main(int argc, char **argv)
{
	void *p = kmalloc(strtoul(argv[argc - 2], NULL, 10), GFP_KERNEL);

	kfree_sized(say(p, p), strtoul(argv[argc - 1], NULL, 10));
	return 0;
}
