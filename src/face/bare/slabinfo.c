/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - the caches on a kernel's console, as /proc/slabinfo 2.1 has them
 *
 * What    A line for each cache, as tools parse it; each is built in a buffer and written at once.
 *         Nothing is stopped: figures are of about this moment.
 */
#include "ashlar/bare.h"
#include "base/text.h"
#include "cache/anchor.h"
#include "cache/init.h"
#include "config.h"

static void slabinfo_number(struct text *t, u64 n)
{
	text_char(t, ' ');
	text_dec(t, n);
}

/* Readers of the format end a name at a space. */
static void slabinfo_name(struct text *t, const char *name)
{
	for (; *name; name++)
		text_char(t, *name == ' ' ? '_' : *name);
}

static void slabinfo_row(struct text *t, const struct ashlar_row *r)
{
	u64 total = r->slabs * r->objects;
	u64 idle = r->objects_free < total ? r->objects_free : total;
	u64 empty = r->slabs_empty < r->slabs ? r->slabs_empty : r->slabs;

	slabinfo_name(t, r->name);
	slabinfo_number(t, total - idle);
	slabinfo_number(t, total);
	slabinfo_number(t, r->stride);
	slabinfo_number(t, r->objects);
	slabinfo_number(t, (u64)1 << r->order);
	text_str(t, " : tunables");
	slabinfo_number(t, r->limit);
	slabinfo_number(t, r->batchcount);
	slabinfo_number(t, r->shared_factor);
	text_str(t, " : slabdata");
	slabinfo_number(t, r->slabs - empty);
	slabinfo_number(t, r->slabs);
	slabinfo_number(t, r->objects_shared);
	text_char(t, '\n');
}

void ashlar_slabinfo(void)
{
	struct ashlar_row row;
	struct text t;

	if (!init_done())
		return;
	text_init(&t);
	text_str(&t, "slabinfo - version: 2.1\n"
		     "# name            <active_objs> <num_objs> <objsize> <objperslab>"
		     " <pagesperslab> : tunables <limit> <batchcount> <sharedfactor>"
		     " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	text_print(&t);
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++)
		if (anchor_row(id, &row)) {
			slabinfo_row(&t, &row);
			text_print(&t);
		}
}
