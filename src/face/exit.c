/* SPDX-License-Identifier: MIT */
/*
 * exit.c - _exit, which runs no destructor: the record is left here
 *
 * Source  _exit(2), C11 7.22.4.5
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "face/common/record.h"
#include "face/face.h"

static _Noreturn void exit_now(int status)
{
	if (!preload_inert)
		record_leave(false);
	for (;;)
		syscall(SYS_exit_group, status);
}

FACE_PUBLIC _Noreturn void _exit(int status)
{
	exit_now(status);
}

FACE_PUBLIC _Noreturn void _Exit(int status)
{
	exit_now(status);
}
