/* SPDX-License-Identifier: MIT */
/*
 * memory.c - see memory.h: the work, compiled without a header of Linux
 *
 * Rules   MY1 sizes and order are the same for everybody, and in every run
 *         MY2 sizes from 8 to 2,047 bytes: as many from 8 to 15 as from 1,024 to 2,047
 *         MY3 frees come in another order than allocations
 */
#include "memory.h"

#define MEMORY_FEW 10000u
#define MEMORY_MANY 100000u
#define MEMORY_STRIDE 7919u /* has no divisor in common with MEMORY_MANY */
#define MEMORY_KIB 1024u
#define MEMORY_REST 10u /* seconds: time for everybody's reapers */

static struct {
	void *object[MEMORY_MANY];
	uint16_t bytes[MEMORY_MANY];
	size_t asked; /* bytes of the objects that live */
} memory;

static uint64_t memory_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* MY2 */
static size_t memory_size(uint64_t *state)
{
	size_t least = (size_t)8 << memory_random(state) % 8;

	return least + memory_random(state) % least;
}

static void memory_report(const struct memory_user *user, const char *asked, const char *held,
			  const char *spare)
{
	host_report(user->who, asked, memory.asked, 0, MEMORY_KIB);
	host_report(user->who, held, user->held(), 0, MEMORY_KIB);
	host_report(user->who, spare, user->spare(), 0, MEMORY_KIB);
}

/* Objects [@begin, @end); false when there is no memory. */
static bool memory_fill(const struct memory_user *user, unsigned begin, unsigned end,
			uint64_t *state)
{
	for (unsigned i = begin; i < end; i++) {
		memory.bytes[i] = (uint16_t)memory_size(state);
		memory.object[i] = user->alloc(memory.bytes[i]);
		if (!memory.object[i])
			return false;
		memory.asked += memory.bytes[i];
	}
	return true;
}

static void memory_drop(const struct memory_user *user, unsigned i)
{
	if (!memory.object[i])
		return;
	user->free(memory.object[i]);
	memory.object[i] = NULL;
	memory.asked -= memory.bytes[i];
}

/* MY3: all but one of @but, chosen at random; @but 0: all. */
static void memory_thin(const struct memory_user *user, unsigned but, uint64_t *state)
{
	for (unsigned i = 0; i < MEMORY_MANY; i++)
		if (!but || memory_random(state) % but)
			memory_drop(user, i * MEMORY_STRIDE % MEMORY_MANY);
}

void memory_measure(const struct memory_user *user)
{
	uint64_t state = 1;
	uint64_t begin;
	uint64_t middle;

	memory.asked = 0;
	memory_report(user, "asked-start", "held-start", "spare-start");
	begin = host_count();
	if (!memory_fill(user, 0, MEMORY_FEW, &state))
		return;
	middle = host_count();
	memory_report(user, "asked-10000", "held-10000", "spare-10000");
	begin += host_count() - middle;
	if (!memory_fill(user, MEMORY_FEW, MEMORY_MANY, &state))
		return;
	host_report(user->who, "mixed-100000-alloc", host_count() - begin, 0, MEMORY_MANY);
	memory_report(user, "asked-100000", "held-100000", "spare-100000");
	begin = host_count();
	memory_thin(user, 8, &state);
	middle = host_count();
	memory_report(user, "asked-eighth", "held-eighth", "spare-eighth");
	host_rest(MEMORY_REST);
	memory_report(user, "asked-rested", "held-rested", "spare-rested");
	begin += host_count() - middle;
	memory_thin(user, 0, &state);
	host_report(user->who, "mixed-100000-free", host_count() - begin, 0, MEMORY_MANY);
	memory_report(user, "asked-freed", "held-freed", "spare-freed");
	host_rest(MEMORY_REST);
	memory_report(user, "asked-idle", "held-idle", "spare-idle");
	user->shrink();
	memory_report(user, "asked-shrunk", "held-shrunk", "spare-shrunk");
}
