/* SPDX-License-Identifier: MIT */
/*
 * anchor_event.c - what happens to the anchor while the program runs
 *
 * What    Bad events are counted, the last report is kept, a request from outside is taken once.
 *         The same for both engines.
 */
#include "cache/anchor.h"

void anchor_event(enum ashlar_event event)
{
	__atomic_fetch_add(&ashlar_anchor.events[event], 1, __ATOMIC_RELAXED);
}

void anchor_message(const char *text, size_t bytes)
{
	char *to = ashlar_anchor.message;
	size_t n = 0;

	for (; n < bytes && n < ASHLAR_MESSAGE_BYTES - 1 && text[n] != '\n'; n++)
		to[n] = text[n];
	to[n] = '\0';
}

u32 anchor_take_request(void)
{
	return __atomic_exchange_n(&ashlar_anchor.request, 0, __ATOMIC_ACQ_REL);
}
