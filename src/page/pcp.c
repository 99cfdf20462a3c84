/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - see pcp.h
 */
#include "page/pcp.h"
#include "base/check.h"

struct pcp {
	struct lock lock;
	u32 pages;                           /* in all lists (C2) */
	struct list free[CONFIG_PCP_ORDERS]; /* newest first; zeros until first used */
} cacheline_aligned;

static struct pcp pcp[PORT_MAX_CPUS];
static u32 pcp_end; /* one above the highest CPU that kept a block */

static struct list *pcp_list(struct pcp *c, unsigned order)
{
	struct list *list = &c->free[order];

	if (!list->next)
		list_init(list);
	return list;
}

struct page *pcp_take(unsigned cpu, unsigned order)
{
	struct pcp *c = &pcp[cpu];
	struct page *head = NULL;

	if (order >= CONFIG_PCP_ORDERS || READ_ONCE(c->pages) == 0 || !lock_try(&c->lock))
		return NULL;
	if (!list_is_empty(pcp_list(c, order))) {
		head = list_first_entry(pcp_list(c, order), struct page, link);
		ASSERT(head->kind == PAGE_PCP && head->order == order);
		list_remove(&head->link);
		c->pages -= 1u << order;
	}
	lock_release(&c->lock);
	return head;
}

/* Move the older half of a list out, at least one block. */
static void pcp_flush(struct pcp *c, unsigned order, struct list *out)
{
	struct list *list = pcp_list(c, order);
	u32 goal = c->pages / 2;

	while (c->pages > goal && !list_is_empty(list)) {
		struct page *head = list_last_entry(list, struct page, link);

		list_remove(&head->link);
		list_add_tail(out, &head->link);
		c->pages -= 1u << order;
	}
}

static void pcp_see(unsigned cpu)
{
	u32 end = READ_ONCE(pcp_end);

	while (end <= cpu && !__atomic_compare_exchange_n(&pcp_end, &end, cpu + 1, false,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
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
	head->kind = PAGE_PCP;
	list_add(pcp_list(c, order), &head->link);
	c->pages += 1u << order;
	if (c->pages > PCP_HIGH)
		pcp_flush(c, order, out);
	if (c->pages > PCP_HIGH)
		for (unsigned o = CONFIG_PCP_ORDERS; o-- > 0 && c->pages > PCP_HIGH;)
			pcp_flush(c, o, out);
	lock_release(&c->lock);
}

void pcp_drain(unsigned cpu, struct list *out)
{
	struct pcp *c = &pcp[cpu];

	if (READ_ONCE(c->pages) == 0)
		return;
	lock_acquire(&c->lock);
	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++)
		list_splice_tail(out, pcp_list(c, o));
	c->pages = 0;
	lock_release(&c->lock);
}

size_t pcp_pages(unsigned cpu)
{
	return READ_ONCE(pcp[cpu].pages);
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

	for (unsigned o = 0; o < CONFIG_PCP_ORDERS; o++) {
		struct list *node;

		list_for_each(node, pcp_list(c, o)) {
			const struct page *head = container_of(node, struct page, link);

			faults += head->kind != PAGE_PCP || head->order != o; /* C1 */
			pages += (size_t)1 << o;
		}
	}
	return faults + (pages != c->pages); /* C2 */
}

void pcp_lock(unsigned cpu)
{
	lock_acquire_more(&pcp[cpu].lock);
}

void pcp_unlock(unsigned cpu)
{
	lock_release(&pcp[cpu].lock);
}
