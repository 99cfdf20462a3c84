/* SPDX-License-Identifier: MIT */
/*
 * anchor.h - what tools see of the library, and what went wrong so far
 *
 * What    Fills in ashlar_anchor (include/ashlar/anchor.h), counts events in it, and sums
 *         up what a record at exit says.
 * Rules   anchor.c alone knows both sides: the structures and their description
 */
#ifndef ASHLAR_CACHE_ANCHOR_H
#define ASHLAR_CACHE_ANCHOR_H

#include "ashlar/anchor.h"
#include "base/base.h"

/* Tell where the tables are; from now on they may be read from outside. */
void anchor_init(void);

void anchor_event(enum ashlar_event event);

/* Keep the first line of a report, so that it outlives the terminal. */
void anchor_message(const char *text, size_t bytes);

/* Is there a request from outside? It is taken off; ASHLAR_REQUEST_ bits. */
u32 anchor_take_request(void);

/* The figures of about this moment; nothing is stopped. */
void anchor_pages(struct ashlar_pages *pages);

/* The cache that has this id; false iff there is none. Ids are 1 .. CONFIG_MAX_IDS - 1. */
bool anchor_row(u32 id, struct ashlar_row *row);

#endif
