/* SPDX-License-Identifier: MIT */
/*
 * step.c - run a program, and once it has stopped itself print the address of each instruction.
 *
 *   step PROGRAM [ARG...]
 *
 * Single-stepping counts exactly what the processor executes, the same every time, and needs no
 * emulator that knows restartable sequences. First come the executable mappings of the program
 * ("map START-END ... FILE", from /proc), then one hexadecimal address a line.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_LIMIT 1000000

static void step_die(const char *what)
{
	fprintf(stderr, "step: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uintptr_t step_pc(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io))
		step_die("PTRACE_GETREGSET");
#if defined(__x86_64__)
	return regs.rip;
#else
	return regs.pc;
#endif
}

static void step_print_maps(pid_t pid)
{
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	if (!maps)
		step_die(path);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, " r-xp "))
			printf("map %s", line);
	fclose(maps);
}

/* Wait for the next stop; the signal that caused it, or 0 when the program has ended. */
static int step_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		step_die("waitpid");
	if (WIFSTOPPED(status))
		return WSTOPSIG(status);
	if (WIFSIGNALED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "step: the program failed (status 0x%x)\n", (unsigned int)status);
		exit(2);
	}
	return 0;
}

static void step_child(char **argv)
{
	personality(ADDR_NO_RANDOMIZE);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execvp(argv[0], argv);
	step_die(argv[0]);
}

/* Let it run freely until it stops itself. */
static void step_warm(pid_t pid)
{
	int sig = step_wait(pid); /* the exec */

	for (sig = 0; sig != SIGSTOP; sig = step_wait(pid)) {
		if (ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)(sig == SIGTRAP ? 0 : sig)))
			step_die("PTRACE_CONT");
	}
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: step PROGRAM [ARG...]\n");
		return 2;
	}
	pid = fork();
	if (pid < 0)
		step_die("fork");
	if (!pid)
		step_child(argv + 1);
	step_warm(pid);
	step_print_maps(pid);
	for (long n = 0; n < STEP_LIMIT; n++) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			step_die("PTRACE_SINGLESTEP");
		if (!step_wait(pid))
			return 0;
		printf("%lx\n", (unsigned long)step_pc(pid));
	}
	kill(pid, SIGKILL);
	fprintf(stderr, "step: the program did not end\n");
	return 2;
}
