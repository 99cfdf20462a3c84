/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - slob's caches on a kernel's console, as /proc/slabinfo 2.1 has them
 *
 * What    A line for each cache. Its objects lie between those of others, so there are objects in
 *         use and no slabs; what kmalloc gives is counted nowhere.
 */
#include "ashlar/bare.h"
#include "base/text.h"
#include "cache/block.h"

static void slabinfo_row(struct text *t, const struct kmem_cache *c)
{
	for (const char *s = c->name; *s; s++)
		text_char(t, *s == ' ' ? '_' : *s); /* readers end a name at a space */
	for (unsigned i = 0; i < 2; i++) {
		text_char(t, ' ');
		text_dec(t, READ_ONCE(c->live));
	}
	text_char(t, ' ');
	text_dec(t, c->object_size);
	text_str(t, " 1 1 : tunables 0 0 0 : slabdata 0 0 0\n");
}

void ashlar_slabinfo(void)
{
	struct text t;

	text_init(&t);
	text_str(&t, "slabinfo - version: 2.1\n"
		     "# name            <active_objs> <num_objs> <objsize> <objperslab>"
		     " <pagesperslab> : tunables <limit> <batchcount> <sharedfactor>"
		     " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	text_print(&t);
	for (const struct kmem_cache *c = *cache_first(); c; c = c->next) {
		slabinfo_row(&t, c);
		text_print(&t);
	}
}
