/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - see pcp.h
 */
#include "page/pcp.h"
#include "base/check.h"

#define PCP_RUNS CONFIG_PCP_ORDERS /* the list behind those of the orders */
#define PCP_LISTS (CONFIG_PCP_ORDERS + 1)

struct pcp pcp[PORT_MAX_CPUS];
static struct list pcp_runs[PORT_MAX_CPUS]; /* newest first; zeros until C6 */
static u32 pcp_end;                         /* one above the highest CPU that kept a block */

static struct list *pcp_list(unsigned cpu, unsigned i)
{
	return i == PCP_RUNS ? &pcp_runs[cpu] : &pcp[cpu].free[i];
}

static u32 pcp_length(const struct page *head)
{
	return head->order == PAGE_RUN ? (u32)head->pages : 1u << head->order;
}

/* C6 */
static void pcp_begin(unsigned cpu)
{
	if (likely(pcp[cpu].free[0].next))
		return;
	for (unsigned i = 0; i < PCP_LISTS; i++)
		list_init(pcp_list(cpu, i));
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
	pcp_begin(cpu);
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

struct page *pcp_take_run(unsigned cpu, size_t count, size_t align)
{
	struct pcp *c = &pcp[cpu];
	struct page *found = NULL;
	unsigned looks = PCP_RUN_LOOKS;
	struct list *node;

	if (READ_ONCE(c->pages) < count || !lock_try(&c->lock))
		return NULL;
	list_for_each(node, &pcp_runs[cpu]) { /* C6: there were pages */
		struct page *head = container_of(node, struct page, link);

		if (head->pages == count && (map_page_pfn(head) & (align - 1)) == 0) {
			list_remove(&head->link);
			c->pages -= (u32)count;
			found = head;
			break;
		}
		if (--looks == 0)
			break;
	}
	lock_release(&c->lock);
	return found;
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
static void pcp_flush(unsigned cpu, unsigned i, u32 goal, struct list *out)
{
	struct pcp *c = &pcp[cpu];
	struct list *list = pcp_list(cpu, i);

	while (c->pages > goal && !list_is_empty(list)) {
		struct page *head = list_last_entry(list, struct page, link);

		list_remove(&head->link);
		list_add_tail(out, &head->link);
		c->pages -= pcp_length(head);
	}
}

unsigned pcp_cpus(void)
{
	return READ_ONCE(pcp_end);
}

/* Keep @head, which is @pages long, on this of @cpu's lists. */
static always_inline void pcp_keep(unsigned cpu, struct page *head, unsigned list, u32 pages,
				   struct list *out)
{
	struct pcp *c = &pcp[cpu];

	if (!lock_try(&c->lock)) {
		list_add_tail(out, &head->link);
		return;
	}
	if (cpu >= READ_ONCE(pcp_end))
		pcp_see(cpu);
	pcp_begin(cpu);
	head->kind = PAGE_PCP;
	list_add(pcp_list(cpu, list), &head->link);
	c->pages += pages;
	if (unlikely(c->pages > PCP_HIGH + c->more)) {
		u32 goal = pcp_overflow(c);

		pcp_flush(cpu, list, goal, out);
		for (unsigned i = PCP_LISTS; i-- > 0 && c->pages > PCP_HIGH + c->more;)
			pcp_flush(cpu, i, goal, out);
	}
	lock_release(&c->lock);
}

void pcp_give(unsigned cpu, struct page *head, struct list *out)
{
	unsigned order = head->order;

	if (order >= CONFIG_PCP_ORDERS)
		list_add_tail(out, &head->link);
	else
		pcp_keep(cpu, head, order, 1u << order, out);
}

void pcp_give_run(unsigned cpu, struct page *head, size_t count, struct list *out)
{
	head->order = PAGE_RUN;
	head->pages = count;
	pcp_keep(cpu, head, PCP_RUNS, (u32)count, out);
}

void pcp_fill(unsigned cpu, struct list *blocks)
{
	struct pcp *c = &pcp[cpu];

	if (!lock_try(&c->lock))
		return;
	if (cpu >= READ_ONCE(pcp_end))
		pcp_see(cpu);
	pcp_begin(cpu);
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
	pcp_begin(cpu);
	for (unsigned i = 0; i < PCP_LISTS; i++)
		list_splice_tail(out, pcp_list(cpu, i));
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
	for (unsigned i = 0; i < PCP_LISTS; i++) {
		struct list *node;

		list_for_each(node, pcp_list(cpu, i)) {
			const struct page *head = container_of(node, struct page, link);

			faults += head->kind != PAGE_PCP; /* C1 */
			faults += head->order != (i == PCP_RUNS ? PAGE_RUN : i);
			faults += c->span && !pcp_serves(cpu, map_page_pfn(head)); /* C5 */
			pages += pcp_length(head);
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
