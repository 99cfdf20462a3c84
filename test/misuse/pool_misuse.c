/* SPDX-License-Identifier: MIT */
/* pool_misuse.c WHAT - give a pool what is not, or not any more, an object in use of it */
#include "ashlar/pool.h"
#include "ashlar/slab.h"
#include "misuse.h"

static struct slab *pool;

static void *free_in_dtor(void *object, unsigned long arg)
{
	(void)arg;
	slab_free(pool, object, 0);
	return object;
}

static int is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char *p;
	char *q;
	int n = 0;

	pool = slab_create(is(what, "behind") ? 96 : 64, NULL,
			   is(what, "dtor") ? free_in_dtor : NULL, 0);
	p = slab_malloc(pool, 0);
	q = pool_kmalloc(100, GFP_KERNEL);
	if (is(what, "twice")) {
		slab_free(pool, p, 0);
		slab_free(pool, say(p, p), 0);
	} else if (is(what, "dtor")) {
		slab_free(pool, say(p, p), 0);
	} else if (is(what, "inside")) {
		slab_free(pool, say(p + 24, p), 0);
	} else if (is(what, "behind")) {
		slab_free(pool, say(p + (2 << 20) - 32, p), 0);
	} else if (is(what, "never")) {
		slab_free(pool, say(p + 640, p), 0);
	} else if (is(what, "destroyed")) {
		slab_free(pool, p, 0);
		slab_destroy(pool);
		say(pool, p);
		slab_malloc(pool, 0);
	} else if (is(what, "nopool")) {
		slab_free(say(p, p), p, 0);
	} else if (is(what, "null")) {
		slab_malloc(say(NULL, p), 0);
	} else if (is(what, "kfree")) {
		kfree(say(p, p));
	} else if (is(what, "free")) {
		free(say(p, p));
	} else if (is(what, "free_pool")) {
		free(say(pool, pool));
	} else if (is(what, "realloc_pool")) {
		realloc(say(pool, pool), 100000);
	} else if (is(what, "group_twice")) {
		pool_kfree(q);
		pool_kfree(say(q, q));
	} else if (is(what, "group_inside")) {
		pool_kfree(say(q + 32, q));
	} else { /* refused, and the program goes on */
		int error = 0;

		n += pool_create(NULL, &error) == NULL && error == -ESLAB_ARGS;
		n += slab_free(pool, q, 0) == -ENOT_IN_SLAB;
		n += slab_free(pool, &p, 0) == -ENOT_IN_SLAB;
		n += pool_kfree(p) == -ECANNOT_FREE_MEM;
		n += slab_destroy(pool) == -ESLAB_NOTNULL;
		n += slab_free(pool, p, 0) == 0 && slab_destroy(pool) == 0 && pool_kfree(q) == 0;
		return n == 6 ? 0 : 1;
	}
	return 0;
}
