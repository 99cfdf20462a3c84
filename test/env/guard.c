/* SPDX-License-Identifier: MIT */
/*
 * guard.c - a program with guarded objects and SIGSEGV handlers of its own; guard.sh says what for
 *
 * Use     guard HANDLER ACCESS. Where HANDLER begins with "before-", the library (argv[3]) comes by
 *         dlopen after the handler; otherwise malloc is guarded and handlers come later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sigaction old;
static sigjmp_buf back;
static volatile char *expected;

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(9);
}

/* Ends the program: says whether it was told what a handler is told. */
static void with_info(int number, siginfo_t *info, void *context)
{
	say(number == SIGSEGV && context && (info->si_code <= 0 || info->si_addr == expected) ?
		    "handled\n" :
		    "handled wrongly\n");
	_exit(3);
}

static void plain(int number)
{
	say(number == SIGSEGV ? "handled\n" : "handled wrongly\n");
	_exit(3);
}

/* As crash reporters do: a line, then whoever was there before. */
static void in_turn(int number, siginfo_t *info, void *context)
{
	say("in turn\n");
	if (old.sa_flags & SA_SIGINFO)
		old.sa_sigaction(number, info, context);
	else
		sigaction(number, &old, NULL);
}

static void jumps(int number)
{
	(void)number;
	say("jumps\n");
	siglongjmp(back, 1);
}

static void once(int number)
{
	(void)number;
	say("once\n");
}

static void handle(const char *how)
{
	struct sigaction sa = { .sa_flags = 0 };

	if (strstr(how, "info")) {
		sa.sa_sigaction = with_info;
		sa.sa_flags = SA_SIGINFO;
	} else if (strstr(how, "turn")) {
		sa.sa_sigaction = in_turn;
		sa.sa_flags = SA_SIGINFO;
	} else if (strstr(how, "plain") || strstr(how, "again")) {
		sa.sa_handler = plain;
		if (strstr(how, "again"))
			sa.sa_flags = SA_NODEFER;
	} else if (strstr(how, "jumps")) {
		sa.sa_handler = jumps;
	} else if (strstr(how, "once")) {
		sa.sa_handler = once;
		sa.sa_flags = (int)SA_RESETHAND;
	} else if (strstr(how, "ignored")) {
		sa.sa_handler = SIG_IGN;
	} else {
		return;
	}
	sigaction(SIGSEGV, &sa, &old);
}

static char *take(void *library)
{
	void *(*kmalloc)(size_t, unsigned) =
		library ? (void *(*)(size_t, unsigned))dlsym(library, "ashlar_kmalloc") : NULL;
	char *volatile p = kmalloc ? kmalloc(100, 0xcc0) : malloc(100);

	if (library && !kmalloc)
		exit(8);
	while (((unsigned long)p + 112) % 4096)
		p = kmalloc ? kmalloc(100, 0xcc0) : malloc(100);
	return p;
}

/* Write to @at where the frame cannot be read: who follows the stack faults, too. */
void write_lost(char *at);
#ifdef __x86_64__
__asm__(".text\n"
	"write_lost:\n\t"
	".cfi_startproc\n\t"
	"pushq %rbp\n\t"
	".cfi_def_cfa_offset 16\n\t"
	".cfi_offset %rbp, -16\n\t"
	"movq $8, %rbp\n\t"
	".cfi_def_cfa %rbp, 16\n\t"
	"movb $1, (%rdi)\n\t"
	"ud2\n\t"
	".cfi_endproc\n");
#else
void write_lost(char *at)
{
	(void)at;
	_exit(5);
}
#endif

static void access_(const char *what, char *p, void *library)
{
	int status;

	if (strcmp(what, "guarded") == 0)
		expected = p + 112;
	else if (strcmp(what, "wild") == 0)
		expected = (char *)64;
	else if (strcmp(what, "sent") == 0)
		kill(getpid(), SIGSEGV);
	else if (strcmp(what, "raised") == 0)
		raise(SIGSEGV);
	else if (strcmp(what, "lost") == 0)
		write_lost(p + 112);
	if (strcmp(what, "forked") == 0) {
		if (fork() == 0) {
			if (!library)
				free(p);
			expected = p;
			*expected = 1;
		}
		wait(&status);
		dprintf(1, "child: %d\n", WIFSIGNALED(status) ? -WTERMSIG(status) : status);
		p[0] = 1; /* still ours here */
		return;
	}
	if (expected)
		*expected = 1;
}

int main(int argc, char **argv)
{
	void *library = NULL;
	char *p;

	if (argc < 3)
		return 7;
	if (strncmp(argv[1], "before-", 7) == 0) {
		handle(argv[1]);
		library = dlopen(argv[3], RTLD_NOW);
		if (!library)
			return 6;
	} else if (strncmp(argv[1], "after-", 6) == 0) {
		handle(argv[1]);
	}
	p = take(library);
	if (sigsetjmp(back, 1) == 0)
		access_(argv[2], p, library);
	say("went on\n");
	return 0;
}
