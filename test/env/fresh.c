/* SPDX-License-Identifier: MIT */
/*
 * fresh.c - memory that nobody has had before is zero: calloc does not touch it
 *
 * What    Runs of pages, and a mapping, by calloc; then the same again, where memory was used and
 *         has to be cleared.
 * Why     A large table of which little is used costs little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

static int is_zero(const char *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

/* In a process that has allocated nothing yet. */
static void try(size_t size, int count)
{
	static char *p[512];
	long before = resident_kib(), more;
	int zero = 1;

	for (int i = 0; i < count; i++)
		p[i] = calloc(1, size);
	more = resident_kib() - before;
	for (int i = 0; i < count; i++) {
		memset(p[i], 0xff, size);
		free(p[i]);
	}
	for (int i = 0; i < count; i++) {
		p[i] = calloc(1, size);
		zero &= p[i] && is_zero(p[i], size);
	}
	printf("%zu KiB: fresh ones cost %s, used ones are %s\n", size >> 10,
	       more < (long)(size >> 10) * count / 8 ? "little" : "much",
	       zero ? "zero" : "not zero");
	fflush(stdout);
	_exit(0);
}

int main(void)
{
	static const struct {
		size_t size;
		int count;
	} blocks[] = { { 40 << 10, 512 }, { 100 << 10, 256 }, { 1 << 20, 32 }, { 64 << 20, 1 } };

	for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
		if (!fork())
			try(blocks[b].size, blocks[b].count);
		wait(NULL);
	}
	return 0;
}
