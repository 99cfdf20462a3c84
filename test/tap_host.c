/* SPDX-License-Identifier: MIT */
/*
 * tap_host.c - a test program in a process
 *
 * What    PROGRAM [TEXT]     run the cases whose name contains TEXT, by default all
 *         PROGRAM -1 [TEXT]  all in this process, for a debugger
 *         PROGRAM -l         list them
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

const char *tap_setting(const char *name)
{
	return getenv(name);
}

/* A child starts with the state of a program that has run no case. */
static unsigned host_apart(unsigned (*run)(const void *), const void *argument)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return run(argument);
	if (child == 0)
		exit((int)run(argument)); /* not _exit: coverage is written there */
	if (waitpid(child, &status, 0) != child)
		return 2;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return (unsigned)WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		tap_note_number("the case died of signal", (uint64_t)WTERMSIG(status));
	else
		tap_note_number("the case ended the program with", (uint64_t)WEXITSTATUS(status));
	return 2;
}

int main(int argc, char **argv)
{
	tap_apart = host_apart;
	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		tap_list();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "-1") == 0) {
		tap_apart = NULL;
		argc--;
		argv++;
	}
	return tap_run(argc > 1 ? argv[1] : NULL) ? 1 : 0;
}
