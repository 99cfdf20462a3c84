/* SPDX-License-Identifier: MIT */
/*
 * account.c - who pays for which object
 *
 * What    Groups, their limits and sums, the same on both engines; who pays for which object is
 *         written down by account_object.c. Who pays is an owner, not a group: a group's owners are
 *         handed over when it ends or its charges move, and nothing that was written down is
 *         touched.
 * State   account, the groups and owners, under account.lock
 * Rules   AC1 bytes of a group == sum of its owners' bytes and of those of groups below it
 *         AC2 a charge is written down before the object is handed out, and ends when it is freed
 *         (AC3, AC4, AC6: account_object.c)
 *         AC5 a charge that may not wait is refused where the lock is held. Nothing has to be given
 *             back under the lock after a refusal: of several objects all are charged, or none; on
 *             slob the charge comes before the object
 *         AC7 ashlar_group_destroy alone ends a group: it is held, so its free is reported
 */
#include "base/lock.h"
#include "cache/account_object.h"
#include "cache/gfp.h"
#include "cache/hold.h"
#include "cache/kmalloc.h"

#define ACCOUNT_EBUSY (-16)
#define ACCOUNT_ENOMEM (-12)

static struct {
	struct lock lock;
	struct ashlar_group *standard;         /* the default group */
	struct ashlar_group *(*current)(void); /* NULL: none bound */
} account;

struct ashlar_group *account_groups[ACCOUNT_GROUPS];

/* ---- sums; account.lock is held ------------------------------------------------------- */

/* The first group from @g upwards that has no room for @bytes, or NULL. */
static struct ashlar_group *account_full(struct ashlar_group *g, size_t bytes)
{
	for (; g; g = g->parent)
		if (g->limit && (g->bytes > g->limit || bytes > g->limit - g->bytes))
			return g;
	return NULL;
}

static void account_add(struct ashlar_group *g, size_t bytes, size_t objects)
{
	for (; g; g = g->parent) {
		WRITE_ONCE(g->bytes, g->bytes + bytes);
		WRITE_ONCE(g->objects, g->objects + objects);
		WRITE_ONCE(g->peak, size_max(g->peak, g->bytes));
	}
}

static void account_subtract(struct ashlar_group *g, size_t bytes, size_t objects)
{
	for (; g; g = g->parent) {
		WRITE_ONCE(g->bytes, g->bytes - bytes);
		WRITE_ONCE(g->objects, g->objects - objects);
	}
}

/* ---- charging ---------------------------------------------------------------------------- */

struct ashlar_group *account_current(void)
{
	struct ashlar_group *(*current)(void) = LOAD_ACQUIRE(account.current);

	return current ? current() : LOAD_ACQUIRE(account.standard);
}

bool account_charge_many(size_t bytes, size_t count, gfp_t gfp, struct account_owner **owner)
{
	struct ashlar_group *g = account_current();
	struct ashlar_group *full;

	*owner = NULL;
	if (!g)
		return true;
	if (!lock_acquire_for(&account.lock, gfp))
		return false; /* AC5 */
	full = gfp & __GFP_NOFAIL ? NULL : account_full(g, bytes * count);
	if (full) {
		full->refused++;
	} else {
		account_add(g, bytes * count, count);
		*owner = g->owner;
		g->owner->bytes += bytes * count;
		g->owner->objects += count;
	}
	lock_release(&account.lock);
	return !full;
}

bool account_charge_bytes(size_t bytes, gfp_t gfp, struct account_owner **owner)
{
	return account_charge_many(bytes, 1, gfp, owner);
}

static void account_free_owner(struct account_owner *owner)
{
	account_end_owner(owner);
	kmalloc_free(owner, "ashlar_group_destroy"); /* as kfree, which clang-tidy misreads */
}

void account_uncharge_bytes(size_t bytes, struct account_owner *owner)
{
	bool gone;

	if (!owner)
		return;
	lock_acquire(&account.lock);
	account_subtract(owner->group, bytes, 1);
	owner->bytes -= bytes;
	owner->objects--;
	gone = owner->retired && owner->objects == 0;
	if (gone)
		list_remove(&owner->link);
	lock_release(&account.lock);
	if (gone)
		account_free_owner(owner);
}

/* ---- groups -------------------------------------------------------------------------------- */

static struct account_owner *account_make_owner(void)
{
	struct account_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL);

	if (!owner)
		return NULL;
	list_init(&owner->link);
	if (account_begin_owner(owner))
		return owner;
	kfree(owner);
	return NULL;
}

/* A place in the table; false iff there is none. Number 0 is nobody's. */
static bool account_enter(struct ashlar_group *g)
{
	bool entered = false;

	lock_acquire(&account.lock);
	for (u32 i = 1; i < ACCOUNT_GROUPS && !entered; i++) {
		if (account_groups[i])
			continue;
		g->number = i;
		list_add(&g->owners, &g->owner->link);
		if (g->parent)
			g->parent->below++;
		STORE_RELEASE(account_groups[i], g);
		entered = true;
	}
	lock_release(&account.lock);
	return entered;
}

struct ashlar_group *ashlar_group_create(const char *name, struct ashlar_group *parent,
					 size_t limit)
{
	struct ashlar_group *g;

	if (!name || !*name) {
		report_refusal("ashlar_group_create", name, "a group needs a name");
		return NULL;
	}
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return NULL;
	for (size_t i = 0; name[i] && i < sizeof(g->name) - 1; i++)
		g->name[i] = name[i];
	g->parent = parent;
	g->limit = limit;
	list_init(&g->owners);
	g->owner = account_make_owner();
	if (g->owner) {
		g->owner->group = g;
		hold(g); /* AC7 */
		if (account_enter(g))
			return g;
		hold_end(g);
		account_free_owner(g->owner);
	}
	kfree(g);
	return NULL;
}

/* @from's owners become @to's; those without objects go to @gone. The sums are not touched. */
static void account_hand_over(struct ashlar_group *from, struct ashlar_group *to, struct list *gone)
{
	while (!list_is_empty(&from->owners)) {
		struct account_owner *o =
			list_first_entry(&from->owners, struct account_owner, link);

		list_remove(&o->link);
		o->retired = true;
		o->group = to;
		if (o->objects == 0)
			list_add(gone, &o->link);
		else if (to)
			list_add_tail(&to->owners, &o->link);
	}
}

static void account_free_owners(struct list *gone)
{
	while (!list_is_empty(gone)) {
		struct account_owner *o = list_first_entry(gone, struct account_owner, link);

		list_remove(&o->link);
		account_free_owner(o);
	}
}

int ashlar_group_destroy(struct ashlar_group *g)
{
	struct list gone;

	if (!g)
		return 0;
	list_init(&gone);
	lock_acquire(&account.lock);
	if (g->below || account.standard == g) {
		lock_release(&account.lock);
		return ACCOUNT_EBUSY;
	}
	account_hand_over(g, g->parent, &gone); /* the parent's sums have them already */
	if (g->parent)
		g->parent->below--;
	STORE_RELEASE(account_groups[g->number], NULL);
	lock_release(&account.lock);
	account_free_owners(&gone);
	hold_end(g);
	kfree(g);
	return 0;
}

/* Bytes and objects of its own owners; the lock is held. */
static size_t account_own(const struct ashlar_group *g, size_t *objects)
{
	const struct list *l;
	size_t bytes = 0;

	*objects = 0;
	list_for_each(l, &g->owners) {
		const struct account_owner *o = list_entry_const(l, struct account_owner, link);

		bytes += o->bytes;
		*objects += o->objects;
	}
	return bytes;
}

int ashlar_group_migrate(struct ashlar_group *from, struct ashlar_group *to)
{
	struct account_owner *fresh;
	struct ashlar_group *full;
	struct list gone;
	size_t objects;
	size_t bytes;

	if (from == to)
		return 0;
	fresh = account_make_owner();
	if (!fresh)
		return ACCOUNT_ENOMEM;
	list_init(&gone);
	lock_acquire(&account.lock);
	bytes = account_own(from, &objects);
	account_subtract(from, bytes, objects);
	full = account_full(to, bytes);
	if (full) {
		full->refused++;
		account_add(from, bytes, objects);
		list_add(&gone, &fresh->link);
	} else {
		account_add(to, bytes, objects);
		account_hand_over(from, to, &gone);
		fresh->group = from;
		from->owner = fresh;
		list_add(&from->owners, &fresh->link);
	}
	lock_release(&account.lock);
	account_free_owners(&gone);
	return full ? ACCOUNT_ENOMEM : 0;
}

void ashlar_group_set_limit(struct ashlar_group *g, size_t limit)
{
	lock_acquire(&account.lock);
	WRITE_ONCE(g->limit, limit);
	lock_release(&account.lock);
}

void ashlar_group_bind(struct ashlar_group *(*current)(void))
{
	STORE_RELEASE(account.current, current);
}

struct ashlar_group *ashlar_group_set_default(struct ashlar_group *g)
{
	struct ashlar_group *before;

	lock_acquire(&account.lock);
	before = account.standard;
	STORE_RELEASE(account.standard, g);
	lock_release(&account.lock);
	return before;
}

struct ashlar_group *ashlar_group_of(const void *p)
{
	const struct account_owner *owner = account_owner_of(p);
	struct ashlar_group *g = NULL;

	lock_acquire(&account.lock);
	if (owner)
		g = owner->group;
	lock_release(&account.lock);
	return g;
}

void ashlar_group_stat(const struct ashlar_group *g, struct ashlar_group_stat *stat)
{
	lock_acquire(&account.lock);
	*stat = (struct ashlar_group_stat){
		.bytes = g->bytes,
		.peak = g->peak,
		.limit = g->limit,
		.objects = g->objects,
		.refused = g->refused,
	};
	lock_release(&account.lock);
}

size_t account_audit(void)
{
	size_t faults = 0;

	for (u32 i = 1; i < ACCOUNT_GROUPS; i++) {
		const struct ashlar_group *g = account_groups[i];
		size_t objects;
		size_t bytes;

		if (!g)
			continue;
		bytes = account_own(g, &objects);
		for (u32 k = 1; k < ACCOUNT_GROUPS; k++) {
			const struct ashlar_group *below = account_groups[k];

			bytes += below && below->parent == g ? below->bytes : 0;
			objects += below && below->parent == g ? below->objects : 0;
		}
		faults += bytes != g->bytes || objects != g->objects; /* AC1 */
	}
	return faults;
}

void account_lock_all(void)
{
	lock_acquire_more(&account.lock);
}

void account_unlock_all(void)
{
	lock_release(&account.lock);
}
