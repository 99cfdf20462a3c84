/* SPDX-License-Identifier: MIT */
/*
 * fault.c - see fault.h: a handler of SIGSEGV, there only where objects are guarded
 *
 * What    A fault in the pool of guarded objects is told; then this fault, and every other, goes
 *         the way it would go without us: to the handler that was there before, called as the
 *         kernel would have called it, or by the instruction itself once more, with the signal's
 *         old disposition in place.
 * Why     The program's own calls of sigaction are left alone: a handler that it installs later
 *         takes our place, as it expects, and gets ours as the old one, which many call in turn.
 *         Where it does not, nothing is told. To stand between every program and its signals for
 *         the sake of a report would be a larger risk than that.
 * Rules   FC1 a program without a handler dies by SIGSEGV, in the instruction that did it, with
 *             its registers and stack as they were
 *         FC2 the fault is told before anybody else sees it, and once for each thread that
 *             makes one, but for one that telling itself meets
 *         FC3 a signal that somebody has sent keeps what he said about himself
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "cache/guard.h"
#include "face/common/fault.h"
#include "port/linux/linux.h"
#include "port/port.h"

static struct sigaction fault_before;

/* Tell it; of several threads one after the other. A fault that telling meets is untold: the stack
 * that it follows may be what is broken. */
static void fault_tell(const siginfo_t *info, const void *context)
{
	static const enum guard_access words[] = {
		[LINUX_TOUCH] = GUARD_TOUCH,
		[LINUX_READ] = GUARD_READ,
		[LINUX_WRITE] = GUARD_WRITE,
	};
	static uint32_t teller; /* the thread that tells, or 0 */
	uint32_t me = port_thread();
	uint32_t other = 0;
	enum linux_access access;
	const void *pc = linux_fault_place(context, &access);

	if (__atomic_load_n(&teller, __ATOMIC_RELAXED) == me) {
		__atomic_store_n(&teller, 0, __ATOMIC_RELEASE); /* who handles it may jump away */
		return;
	}
	while (!__atomic_compare_exchange_n(&teller, &other, me, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		other = 0;
		port_yield();
	}
	if (guard_fault(info->si_addr, words[access], pc))
		check_last();
	other = me;
	__atomic_compare_exchange_n(&teller, &other, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Nobody handles it: let it happen again without us (FC1), if it was not somebody who sent it. */
static void fault_repeat(int number, siginfo_t *info)
{
	if (info->si_code <= 0 && fault_before.sa_handler == SIG_IGN)
		return;
	sigaction(number, &fault_before, NULL);
	if (info->si_code <= 0) /* FC3 */
		syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)port_thread(), number, info);
}

static void fault_handle(int number, siginfo_t *info, void *context)
{
	struct sigaction before = fault_before;
	int saved = errno;

	if (info->si_code > 0)
		fault_tell(info, context);
	errno = saved;
	if (!(before.sa_flags & SA_SIGINFO) &&
	    (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)) {
		fault_repeat(number, info);
		return;
	}
	if (before.sa_flags & (int)SA_RESETHAND)
		fault_before = (struct sigaction){ .sa_handler = SIG_DFL };
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(number, info, context);
	else
		before.sa_handler(number);
}

void fault_catch(void)
{
	struct sigaction ours = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	ours.sa_sigaction = fault_handle;
	if (sigaction(SIGSEGV, NULL, &fault_before) != 0)
		return;
	ours.sa_mask = fault_before.sa_mask;
	ours.sa_flags |= fault_before.sa_flags & (SA_NODEFER | SA_RESTART);
	sigaction(SIGSEGV, &ours, NULL);
}
