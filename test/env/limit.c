/* SPDX-License-Identifier: MIT */
/* limit.c - a block of its own mapping grows by realloc: the option limit= counts that, too */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	size_t mib = 1 << 20;
	char *p = malloc(10 * mib), *q;

	if (!p)
		return 1;
	memset(p, 1, 10 * mib);
	q = realloc(p, 20 * mib);
	puts(q ? "20 MiB of 64: yes" : "20 MiB of 64: no");
	p = q ? q : p;
	errno = 0;
	q = realloc(p, 512 * mib);
	puts(q ? "512 MiB of 64: given" : "512 MiB of 64: refused");
	if (!q && (errno != ENOMEM || p[0] != 1))
		puts("but not as it should be");
	free(q ? q : p);
	return 0;
}
