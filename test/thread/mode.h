/* SPDX-License-Identifier: MIT */
/*
 * mode.h - how arrays are guarded, for thread.h
 *
 * What    MODE: a case runs in a process of its own with percpu=rseq or percpu=lock, because
 *         the mode is chosen once, before the first slab; what that process says is the
 *         case's result.
 */
#ifndef ASHLAR_TEST_THREAD_MODE_H
#define ASHLAR_TEST_THREAD_MODE_H

#include "cache/init.h"
#include "thread/thread.h"

/* Notes and failures of the other process, and its reason to skip, become this one's. */
static inline void thread_relay(FILE *from)
{
	static char reason[256];
	char line[256];

	while (fgets(line, sizeof(line), from)) {
		char *skip = strstr(line, " # SKIP ");

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			tap_note(line + 2);
		} else if (skip && strncmp(line, "ok", 2) == 0) {
			snprintf(reason, sizeof(reason), "%s", skip + 8);
			tap_skip(reason);
		}
	}
}

/* This program anew, with the case @name alone, in an environment of its own. */
_Noreturn static inline void thread_exec(const char *mode, const char *options, const char *name,
					 int out)
{
	setenv("ASHLAR_OPTIONS", options, 1);
	setenv("ASHLAR_TEST_MODE", mode, 1);
	dup2(out, STDOUT_FILENO);
	close(out);
	execl("/proc/self/exe", "test", name, (char *)NULL);
	_exit(127);
}

/* False: go on, this is the process for the case; its arrays are guarded as @mode says, and it was
 * started with @options after @prepare. True: another one was, and is done. */
static inline bool thread_elsewhere_prepared(const char *mode, const char *options,
					     const char *name, bool (*prepare)(void))
{
	const char *here = getenv("ASHLAR_TEST_MODE");
	int ends[2];
	int status = -1;
	FILE *from;
	pid_t child;

	if (THREAD_SANITIZED && strcmp(mode, "rseq") == 0) {
		tap_skip("ThreadSanitizer cannot follow sequences");
		return true;
	}
	if (here) {
		alarm(thread_alarm());
		if (init_ready() && strcmp(init_facts.percpu, mode) == 0)
			return false;
		if (prepare)
			EXPECT_TEXT_EQ(init_facts.percpu, mode);
		else
			tap_skip(init_facts.percpu_why);
		return true;
	}
	if (!EXPECT(pipe(ends) == 0))
		return true;
	child = fork();
	if (child == 0 && (!prepare || prepare()))
		thread_exec(mode, options, name, ends[1]);
	if (child == 0)
		_exit(126);
	close(ends[1]);
	from = fdopen(ends[0], "r");
	thread_relay(from);
	fclose(from);
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	return true;
}

static inline bool thread_elsewhere(const char *mode, const char *name)
{
	char options[32];

	snprintf(options, sizeof(options), "percpu=%s", mode);
	return thread_elsewhere_prepared(mode, options, name, NULL);
}

#define MODE(mode)                                    \
	do {                                          \
		if (thread_elsewhere(mode, __func__)) \
			return;                       \
	} while (0)

/* The case @name in both modes, as name_rseq and name_lock. */
#define TEST_MODES(name)        \
	static void name(void); \
	TEST(name##_rseq)       \
	{                       \
		MODE("rseq");   \
		name();         \
	}                       \
	TEST(name##_lock)       \
	{                       \
		MODE("lock");   \
		name();         \
	}                       \
	static void name(void)

#endif
