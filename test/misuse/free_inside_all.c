/* SPDX-License-Identifier: MIT */
/* free_inside_all.c - free at every eighth byte inside an object of every class to 1 KiB */
#include <sys/wait.h>
#include <unistd.h>

#include "misuse.h"

static const size_t class[] = { 16,  32,  48,  64,  80,  96,  112, 128, 160, 192,
				224, 256, 320, 384, 448, 512, 640, 768, 896, 1024 };

/* A child frees; its first line must be the report, its end abort(). */
static int caught(char *p, size_t size, size_t offset)
{
	char name[16], want[200], got[200] = "";
	int fd[2], status = 0;
	ssize_t n = pipe(fd);

	if (!fork()) {
		dup2(fd[1], 2);
		free(p + offset);
		_exit(0);
	}
	close(fd[1]);
	n = read(fd[0], got, sizeof(got) - 1);
	while (n > 0 && !strchr(got, '\n')) {
		ssize_t more = read(fd[0], got + n, sizeof(got) - 1 - (size_t)n);

		n = more > 0 ? n + more : 0;
	}
	close(fd[0]);
	wait(&status);
	snprintf(name, sizeof(name), size == 1024 ? "1k" : "%zu", size);
	snprintf(
		want, sizeof(want),
		"ashlar: free(%p): invalid free: %zu bytes inside an object of "
		"kmalloc-%s that starts at %p\n",
		(void *)(p + offset), offset, name, (void *)p);
	if (!strncmp(want, got, strlen(want)) && WIFSIGNALED(status) && WTERMSIG(status) == 6)
		return 1;
	printf("wanted: %sgot: %s\nstatus %#x\n", want, got, (unsigned int)status);
	return 0;
}

int main(void)
{
	int bad = 0, n = 0;

	for (size_t i = 0; i < sizeof(class) / sizeof(class[0]) && !bad; i++) {
		char *p = malloc(class[i]);

		for (size_t offset = 8; offset < class[i]; offset += 8, n++)
			bad += !caught(p, class[i], offset);
		free(p);
	}
	printf("%d offsets, %d not caught\n", n, bad);
	return bad != 0;
}
