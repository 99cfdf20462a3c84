/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - see spawn.h
 *
 * Why     The signals are blocked and taken with sigwaitinfo: there is no handler, and
 *         nothing can happen between two lines.
 * Source  signal(7); wait(2); sigaction(2) on si_code: SI_KERNEL is the terminal's
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

/* Signals that are a fault of our own, that cannot be passed on, or that stop and continue a job:
 * these reach the program through its process group. */
static const int spawn_ours[] = {
	SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,
	SIGTRAP, SIGSYS,  SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU,
};

static struct {
	sigset_t mask;          /* as we were started */
	struct sigaction child; /* the same, for SIGCHLD */
} spawn_before;

static void spawn_prepare(sigset_t *taken)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };

	sigfillset(taken);
	for (size_t i = 0; i < sizeof(spawn_ours) / sizeof(spawn_ours[0]); i++)
		sigdelset(taken, spawn_ours[i]);
	sigemptyset(&normal.sa_mask);
	sigaction(SIGCHLD, &normal, &spawn_before.child); /* ignored, it would lose the status */
	sigprocmask(SIG_BLOCK, taken, &spawn_before.mask);
}

static void spawn_restore(void)
{
	sigaction(SIGCHLD, &spawn_before.child, NULL);
	sigprocmask(SIG_SETMASK, &spawn_before.mask, NULL);
}

static _Noreturn void spawn_exec(char **argv, char **environment, int report)
{
	int error;

	spawn_restore();
	execvpe(argv[0], argv, environment);
	error = errno;
	while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(TOOL_NOT_FOUND);
}

/* Pass signals on until the program has ended. */
static int spawn_wait(pid_t pid, const sigset_t *taken)
{
	for (;;) {
		siginfo_t info;
		int status;
		int sig = sigwaitinfo(taken, &info);

		if (sig < 0)
			continue;
		if (sig != SIGCHLD) {
			if (info.si_code != SI_KERNEL) /* SP1 */
				kill(pid, sig);
			continue;
		}
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
	}
}

int spawn_program(char **argv, char **environment, pid_t *pid, int *status)
{
	sigset_t taken;
	int report[2];
	int error = 0;

	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	spawn_prepare(&taken);
	*pid = fork();
	if (*pid == 0)
		spawn_exec(argv, environment, report[1]);
	if (*pid < 0)
		error = errno;
	close(report[1]);
	if (*pid > 0) {
		ssize_t n;

		do
			n = read(report[0], &error, sizeof(error));
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			error = 0;
		*status = spawn_wait(*pid, &taken);
	}
	close(report[0]);
	spawn_restore();
	return error;
}

_Noreturn void spawn_end_like(int status)
{
	struct rlimit none = { 0 };
	sigset_t mask;
	int sig;

	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	sig = WTERMSIG(status);
	setrlimit(RLIMIT_CORE, &none); /* the program's core is the one of interest */
	signal(sig, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, sig);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(sig);
	exit(128 + sig);
}
