/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - see pcp.h
 */
#include "page/pcp.h"
#include "base/check.h"

struct pcp pcp[PORT_MAX_CPUS];
static u32 pcp_end; /* one above the highest CPU that kept a block */

/* C6 */
static void pcp_begin(struct pcp *c)
{
	if (likely(c->free[0].next))
		return;
	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++)
		list_init(&c->free[o]);
}

static void pcp_see(unsigned cpu)
{
	u32 end = READ_ONCE(pcp_end);

	while (end <= cpu && !__atomic_compare_exchange_n(&pcp_end, &end, cpu + 1, false,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

void pcp_init(void)
{
	for (unsigned cpu = 0; cpu < pcp_end; cpu++)
		pcp[cpu].span = 0;
}

void pcp_open(unsigned cpu, size_t first, size_t span)
{
	struct pcp *c = &pcp[cpu];

	if (!lock_try(&c->lock))
		return;
	pcp_begin(c);
	pcp_see(cpu);
	WRITE_ONCE(c->first, first);
	STORE_RELEASE(c->span, span);
	lock_release(&c->lock);
}

size_t pcp_take_bulk(unsigned cpu, struct page **pages, size_t count)
{
	struct pcp *c = &pcp[cpu];
	struct list *list;
	size_t n = 0;

	if (READ_ONCE(c->pages) == 0 || !lock_try(&c->lock))
		return 0;
	list = &c->free[0];
	for (; n < count && !list_is_empty(list); n++) {
		pages[n] = list_first_entry(list, struct page, link);
		list_remove(&pages[n]->link);
	}
	c->pages -= (u32)n;
	lock_release(&c->lock);
	return n;
}

unsigned pcp_miss(unsigned cpu, unsigned order)
{
	struct pcp *c = &pcp[cpu];
	unsigned blocks;

	if (order >= CONFIG_PCP_ORDERS || !lock_try(&c->lock))
		return 0;
	if (c->overflowed)
		c->more = (u16)size_min(c->more + PCP_STEP, PCP_MORE_MAX); /* C4 */
	c->overflowed = false;
	c->batch = c->batch ? (u16)size_min(c->batch * 2u, PCP_BATCH_MAX) : 1; /* C3 */
	blocks = c->batch >> order;
	lock_release(&c->lock);
	return blocks;
}

/* More has come than is kept: learn from it (C3, C4). Returns pages that may stay. */
static u32 pcp_overflow(struct pcp *c)
{
	bool again = c->overflowed;

	c->overflowed = true;
	c->batch /= 2;
	if (again)
		c->more = (u16)(c->more - (c->more + 3) / 4);
	return c->pages / 2;
}

/* Move the older part of a list out, until @goal pages are left in all. */
static void pcp_flush(struct pcp *c, unsigned order, u32 goal, struct list *out)
{
	struct list *list = &c->free[order];

	while (c->pages > goal && !list_is_empty(list)) {
		struct page *head = list_last_entry(list, struct page, link);

		list_remove(&head->link);
		list_add_tail(out, &head->link);
		c->pages -= 1u << order;
	}
}

unsigned pcp_cpus(void)
{
	return READ_ONCE(pcp_end);
}

void pcp_give(unsigned cpu, struct page *head, struct list *out)
{
	struct pcp *c = &pcp[cpu];
	unsigned order = head->order;

	if (order >= CONFIG_PCP_ORDERS || !lock_try(&c->lock)) {
		list_add_tail(out, &head->link);
		return;
	}
	if (cpu >= READ_ONCE(pcp_end))
		pcp_see(cpu);
	pcp_begin(c);
	head->kind = PAGE_PCP;
	list_add(&c->free[order], &head->link);
	c->pages += 1u << order;
	if (unlikely(c->pages > PCP_HIGH + c->more)) {
		u32 goal = pcp_overflow(c);

		pcp_flush(c, order, goal, out);
		for (unsigned o = CONFIG_PCP_ORDERS; o-- > 0 && c->pages > PCP_HIGH + c->more;)
			pcp_flush(c, o, goal, out);
	}
	lock_release(&c->lock);
}

void pcp_fill(unsigned cpu, struct list *blocks)
{
	struct pcp *c = &pcp[cpu];

	if (!lock_try(&c->lock))
		return;
	if (cpu >= READ_ONCE(pcp_end))
		pcp_see(cpu);
	pcp_begin(c);
	while (!list_is_empty(blocks)) {
		struct page *head = list_first_entry(blocks, struct page, link);

		if (c->pages + (1u << head->order) > PCP_HIGH + c->more)
			break;
		list_remove(&head->link);
		head->kind = PAGE_PCP;
		list_add_tail(&c->free[head->order], &head->link);
		c->pages += 1u << head->order;
	}
	lock_release(&c->lock);
}

void pcp_drain(unsigned cpu, struct list *out)
{
	struct pcp *c = &pcp[cpu];

	if (READ_ONCE(c->pages) == 0)
		return;
	lock_acquire(&c->lock);
	pcp_begin(c);
	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++)
		list_splice_tail(out, &c->free[o]);
	c->pages = 0;
	c->more = c->batch = 0;
	c->overflowed = false;
	lock_release(&c->lock);
}

size_t pcp_pages(unsigned cpu)
{
	return READ_ONCE(pcp[cpu].pages);
}

bool pcp_has_any(void)
{
	size_t pages = 0;

	for (unsigned cpu = 0; cpu < pcp_cpus(); cpu++)
		pages += pcp_pages(cpu);
	return pages != 0;
}

size_t pcp_high(unsigned cpu)
{
	return PCP_HIGH + READ_ONCE(pcp[cpu].more);
}

size_t pcp_batch(unsigned cpu)
{
	return READ_ONCE(pcp[cpu].batch);
}

const u32 *pcp_pages_table(size_t *step)
{
	*step = sizeof(pcp[0]);
	return &pcp[0].pages;
}

size_t pcp_audit(unsigned cpu)
{
	struct pcp *c = &pcp[cpu];
	size_t pages = 0;
	size_t faults = 0;

	if (!c->free[0].next)
		return c->pages != 0 || c->span != 0; /* C6 */
	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++) {
		struct list *node;

		list_for_each(node, &c->free[o]) {
			const struct page *head = container_of(node, struct page, link);

			faults += head->kind != PAGE_PCP || head->order != o;      /* C1 */
			faults += c->span && !pcp_serves(cpu, map_page_pfn(head)); /* C5 */
			pages += (size_t)1 << o;
		}
	}
	faults += c->more > PCP_MORE_MAX || c->batch > PCP_BATCH_MAX;      /* C3, C4 */
	return faults + (pages != c->pages || pages > PCP_HIGH + c->more); /* C2 */
}

void pcp_lock(unsigned cpu)
{
	lock_acquire_more(&pcp[cpu].lock);
}

void pcp_unlock(unsigned cpu)
{
	lock_release(&pcp[cpu].lock);
}
