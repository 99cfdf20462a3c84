/* SPDX-License-Identifier: MIT */
/*
 * list_test.c - order of elements, and the links after each operation
 */
#include "base/list.h"
#include "tap.h"

struct item {
	unsigned value;
	struct list link;
};

static struct list head;
static struct item items[6];

static void setup(void)
{
	list_init(&head);
	for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
		items[i].value = i;
		list_init(&items[i].link);
	}
}

/* L1, and the values in order as decimal digits: 0 for none. */
static unsigned walk(struct list *list)
{
	struct list *node;
	unsigned digits = 0;

	EXPECT_PTR_EQ(list->next->prev, list);
	list_for_each(node, list) {
		EXPECT_PTR_EQ(node->next->prev, node);
		EXPECT_PTR_EQ(node->prev->next, node);
		digits = digits * 10 + container_of(node, struct item, link)->value;
	}
	return digits;
}

TEST(list_L1_links_agree)
{
	setup();
	EXPECT(list_is_empty(&head));
	list_add(&head, &items[2].link);
	list_add(&head, &items[1].link);
	list_add_tail(&head, &items[3].link);
	list_insert(&items[4].link, &items[1].link, &items[2].link);
	EXPECT_FALSE(list_is_empty(&head));
	EXPECT_EQ(walk(&head), 1423);
	EXPECT_PTR_EQ(list_first_entry(&head, struct item, link), &items[1]);
	EXPECT_PTR_EQ(list_last_entry(&head, struct item, link), &items[3]);
	EXPECT_PTR_EQ(list_entry_const(head.next, struct item, link), &items[1]);
}

TEST(list_L2_removed_points_to_itself)
{
	setup();
	for (unsigned i = 1; i < 4; i++)
		list_add_tail(&head, &items[i].link);
	list_remove(&items[2].link);
	EXPECT_PTR_EQ(items[2].link.next, &items[2].link);
	EXPECT_PTR_EQ(items[2].link.prev, &items[2].link);
	EXPECT_EQ(walk(&head), 13);
	list_remove(&items[2].link); /* so that removing twice does no harm */
	EXPECT_EQ(walk(&head), 13);
	list_remove(&items[1].link);
	list_remove(&items[3].link);
	EXPECT(list_is_empty(&head));
}

TEST(list_splice_keeps_order)
{
	struct list other;

	setup();
	list_init(&other);
	list_splice_tail(&head, &other);
	EXPECT(list_is_empty(&head));
	list_add_tail(&other, &items[1].link);
	list_add_tail(&other, &items[2].link);
	list_splice_tail(&head, &other);
	EXPECT(list_is_empty(&other));
	EXPECT_EQ(walk(&head), 12);
	list_add_tail(&other, &items[3].link);
	list_splice_tail(&head, &other);
	EXPECT_EQ(walk(&head), 123);
	EXPECT_EQ(walk(&other), 0);
}
