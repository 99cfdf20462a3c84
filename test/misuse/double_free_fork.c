/* SPDX-License-Identifier: MIT */
/* double_free_fork.c - free in a child what its parent had freed before the fork */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "misuse.h"

int main(void)
{
	void *p = malloc(60);
	int status = 0;

	free(say(p, p));
	if (!fork())
		free(p);
	else if (wait(&status) > 0 && WIFSIGNALED(status))
		raise(WTERMSIG(status));
	return 0;
}
