/* SPDX-License-Identifier: MIT */
/* used.c - mallinfo2 and malloc_info tell what the program has, not what the allocator keeps */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 1000
#define BYTES 100
#define SLACK 4096 /* what the C library takes for itself: a stream, a buffer */

static size_t said_used(void)
{
	char *text = NULL;
	size_t bytes = 0, used = 0;
	FILE *out = open_memstream(&text, &bytes);

	malloc_info(0, out);
	fclose(out);
	if (strstr(text, "type=\"used\""))
		sscanf(strstr(text, "type=\"used\""), "type=\"used\" size=\"%zu\"", &used);
	free(text);
	return used;
}

int main(void)
{
	static void *volatile p[OBJECTS];
	size_t first = mallinfo2().uordblks, most, last;

	for (int i = 0; i < OBJECTS; i++)
		p[i] = malloc(BYTES);
	most = mallinfo2().uordblks;
	for (int i = 0; i < OBJECTS; i++)
		free(p[i]);
	last = mallinfo2().uordblks;
	if (first > SLACK)
		printf("at first %zu bytes are in use\n", first);
	if (most < first + OBJECTS * BYTES || most > first + OBJECTS * BYTES * 3 / 2 + SLACK)
		printf("with %d objects of %d bytes %zu are in use\n", OBJECTS, BYTES, most);
	if (last > first + SLACK)
		printf("after their free %zu are in use, %zu at first\n", last, first);
	free(malloc(20 << 20));
	p[0] = malloc(100000);
	last = said_used();
	if (last < 100000 || last > first + 100000 + 4 * SLACK + BUFSIZ)
		printf("malloc_info tells %zu of a block of 100,000\n", last);
	return 0;
}
