/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - run a program as if there were nobody between it and its caller
 *
 * Rules   SP1  signals sent to us go on to the program; those of the terminal have reached it
 *              already and do not
 *         SP2  the program starts with the mask and the dispositions that we were started with
 */
#ifndef ASHLAR_TOOL_SPAWN_H
#define ASHLAR_TOOL_SPAWN_H

#include <sys/types.h>

#include "tool.h"

/* Run argv[0] with this environment until it ends. Returns 0 and its wait status, or the errno
 * of execve. */
int spawn_program(char **argv, char **environment, pid_t *pid, int *status);

/* End as the program ended: the same signal, the same exit status. */
_Noreturn void spawn_end_like(int status);

#endif
