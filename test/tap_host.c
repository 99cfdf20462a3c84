/* SPDX-License-Identifier: MIT */
/*
 * tap_host.c - a test program in a process
 *
 * What    PROGRAM [TEXT]  run the cases whose name contains TEXT, by default all
 *         PROGRAM -l      list them
 */
#include <string.h>
#include <unistd.h>

#include "tap.h"

/* No buffer: what was printed before a crash is the best hint there is. */
void tap_write(const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(STDOUT_FILENO, text, bytes);

		if (n <= 0)
			return;
		text += n;
		bytes -= (size_t)n;
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		tap_list();
		return 0;
	}
	return tap_run(argc > 1 ? argv[1] : NULL) ? 1 : 0;
}
