/* SPDX-License-Identifier: MIT */
/*
 * limit.c - a program lowers its own RLIMIT_AS
 *
 * What    setrlimit and prlimit, which then give reserved address space back.
 * Why     What Ashlar reserves counts as address space. A program that limits itself to a gibibyte
 *         would find all of it taken: no thread, no mapping could be had any more.
 * Source  getrlimit(2)
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cache/init.h"
#include "face/face.h"
#include "page/page.h"

#define LIMIT_LINK(name) __asm__(#name) FACE_PUBLIC

int limit_set(int resource, const struct rlimit *limit) LIMIT_LINK(setrlimit);
int limit_set64(int resource, const struct rlimit *limit) LIMIT_LINK(setrlimit64);
int limit_change(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
	LIMIT_LINK(prlimit);
int limit_change64(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
	LIMIT_LINK(prlimit64);

int limit_change(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	long result = syscall(SYS_prlimit64, pid, resource, limit, old);

	if (result == 0 && limit && resource == RLIMIT_AS && (pid == 0 || pid == getpid()) &&
	    init_begun() && init_ready())
		page_lower();
	return (int)result;
}

int limit_change64(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	return limit_change(pid, resource, limit, old);
}

int limit_set(int resource, const struct rlimit *limit)
{
	return limit_change(0, resource, limit, NULL);
}

int limit_set64(int resource, const struct rlimit *limit)
{
	return limit_change(0, resource, limit, NULL);
}
