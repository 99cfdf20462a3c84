/* SPDX-License-Identifier: MIT */
/*
 * refuse.c - run a program to which the kernel refuses system calls
 *
 * What    "refuse NAME,NAME PROGRAM ARGS": each named call gives EPERM.
 *         "refuse sandbox": start, then kill for every call but the few that the C
 *         library's own malloc makes, and allocate with threads already running.
 * Why     Containers and sandboxes refuse or kill; inside malloc and free no call is
 *         made that was not probed at the start.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "stamp.h"

enum { MOST = 64 };

static const struct {
	const char *name;
	unsigned int nr;
} calls[] = {
	{ "membarrier", __NR_membarrier },
	{ "rseq", __NR_rseq },
	{ "sched_getaffinity", __NR_sched_getaffinity },
	{ "madvise", __NR_madvise },
	{ "getrandom", __NR_getrandom },
	{ "prlimit64", __NR_prlimit64 },
	{ "mremap", __NR_mremap },
	{ "sysinfo", __NR_sysinfo },
	{ "getcpu", __NR_getcpu },
};

static const unsigned int libc_calls[] = {
	__NR_brk,
	__NR_mmap,
	__NR_munmap,
	__NR_mprotect,
	__NR_mremap,
	__NR_madvise,
	__NR_futex,
	__NR_membarrier,
	__NR_write,
	__NR_exit,
	__NR_exit_group,
	__NR_rt_sigreturn,
	__NR_rt_sigprocmask,
	__NR_getrandom,
	__NR_set_robust_list,
	__NR_sched_yield,
};

/* On all threads, for each named call: "then"; for the others: "other" */
static int install(const unsigned int *nr, unsigned int n, unsigned int then, unsigned int other)
{
	struct sock_filter f[MOST] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { .filter = f, .len = (unsigned short)(n + 3) };

	for (unsigned int i = 0; i < n; i++)
		f[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i],
							(unsigned char)(n - i), 0);
	f[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, other);
	f[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, then);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			    &prog);
}

static int working;

static void *thread(void *arg)
{
	static struct stamp slots[3][500];
	struct stamp *mine = slots[(uintptr_t)arg];
	int rounds = stamp_rounds(500000);
	uint64_t random = (uint64_t)(uintptr_t)arg + 1;

	for (int i = 0; i < rounds; i++) {
		stamp_step(mine, 500, &random);
		if (i == 10)
			__atomic_fetch_add(&working, 1, __ATOMIC_RELEASE);
	}
	for (int i = 0; i < 500; i++)
		stamp_free(&mine[i]);
	__atomic_fetch_sub(&working, 1, __ATOMIC_RELEASE);
	for (;;)
		sched_yield();
}

/*
 * Each thread has allocated once, because the C library looks for the number of processors
 * at a thread's first malloc; and it has one arena, because it reads a file when it shrinks a
 * second one. The filter comes in the middle of the threads' work.
 */
static int sandbox(void)
{
	unsigned int n = sizeof(libc_calls) / sizeof(libc_calls[0]);
	pthread_t t[2];

	mallopt(M_ARENA_MAX, 1);
	for (uintptr_t i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, thread, (void *)(i + 1)))
			return 2;
	while (__atomic_load_n(&working, __ATOMIC_ACQUIRE) < 2)
		sched_yield();
	if (install(libc_calls, n, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS))
		return 77;
	while (__atomic_load_n(&working, __ATOMIC_ACQUIRE) > 0)
		sched_yield();
	if (write(1, "sandbox done\n", 13) != 13)
		_exit(3);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned int nr[MOST / 2], n = 0;
	char *name;

	if (argc > 1 && !strcmp(argv[1], "sandbox"))
		return sandbox();
	if (argc < 3)
		return 2;
	for (name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			if (!strcmp(name, calls[i].name))
				nr[n++] = calls[i].nr;
	if (install(nr, n, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW))
		return 77;
	execv(argv[2], argv + 2);
	return 3;
}
