/* SPDX-License-Identifier: MIT */
/*
 * mode.h - modes of slob, for test/thread/thread.h: there is one (see test/thread/mode.h)
 */
#ifndef ASHLAR_TEST_SLOB_THREAD_MODE_H
#define ASHLAR_TEST_SLOB_THREAD_MODE_H

#include "thread/thread.h"

/* The case @name, which ends by its alarm if it hangs. */
#define TEST_MODES(name)               \
	static void name(void);        \
	TEST(name##_slob)              \
	{                              \
		alarm(thread_alarm()); \
		name();                \
	}                              \
	static void name(void)

#endif
