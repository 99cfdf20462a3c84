/* SPDX-License-Identifier: MIT */
/*
 * fork.c - vfork, with fork's meaning
 *
 * What    A vfork child shares its parent's memory, and the kernel ends restartable
 *         sequences for a child that does: if it allocated, it would work unprotected
 *         on another CPU's array. POSIX lets vfork be fork; here it is.
 * Source  vfork(2), CONFORMING TO; posix_spawn's child does not allocate and stays fast
 */
#include <unistd.h>

#include "face/face.h"

FACE_PUBLIC pid_t vfork(void)
{
	return fork();
}
