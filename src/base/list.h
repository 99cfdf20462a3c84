/* SPDX-License-Identifier: MIT */
/*
 * list.h - doubly linked lists whose links lie in the elements
 *
 * What    A circle through a head. An element is on one list at a time. The
 *         caller holds the list's lock.
 * Rules   L1  node->next->prev == node, and the reverse
 *         L2  a node that is on no list points to itself
 */
#ifndef ASHLAR_BASE_LIST_H
#define ASHLAR_BASE_LIST_H

#include "base/base.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list *head, struct list *node)
{
	list_insert(node, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert(node, head->prev, head);
}

/* Take @node off its list; afterwards it points to itself (L2). */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move all of @from, in order, to the end of @to; @from becomes empty. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_first_entry(head, type, member) container_of((head)->next, type, member)
#define list_last_entry(head, type, member) container_of((head)->prev, type, member)

#define list_entry_const(node, type, member) \
	((const type *)(const void *)((const char *)(node)-offsetof(type, member)))

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)

#endif
