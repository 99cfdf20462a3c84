/* SPDX-License-Identifier: MIT */
/*
 * hold.h - what is in use, but nobody's, on slob (see src/cache/hold.h)
 *
 * What    A held block has a bit in its header (SL7), a held run the kind of run HELD: a free of it
 *         is reported (SC5: a descriptor by name, all else as a second free).
 */
#ifndef ASHLAR_SLOB_HOLD_H
#define ASHLAR_SLOB_HOLD_H

#include "base/base.h"

enum hold {
	HOLD_DONE,    /* it is held now, or is not ours to mark */
	HOLD_ALREADY, /* it was */
	HOLD_NOT,     /* ours, and not the start of anything in use */
};

enum hold hold(void *p);

/* Back to what it was. */
void hold_end(void *p);

/* Is it held? */
bool hold_is(const void *p);

#endif
