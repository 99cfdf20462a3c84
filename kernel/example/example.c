/* SPDX-License-Identifier: MIT */
/*
 * example.c - a small kernel to copy from: a file system in memory, on all CPUs at once
 *
 * What    Directories and files as kernels keep them: inodes from a cache with a constructor,
 *         names from another, long names from kmalloc, contents in pages that can be had again
 *         from "disk". When memory runs out, a shrinker drops such pages. Each CPU has
 *         one worker, which builds a tree of its own and files in a directory that all share.
 * Shows   1 constructor   what it sets up stays set up while an object is free
 *         2 KMEM_CACHE    size and alignment of a struct, named after it
 *         3 shrinker      what GFP_KERNEL does before it gives up; no lock is held that it takes
 *         4 interrupts    the timer allocates with GFP_ATOMIC
 *         5 the end       destroying the caches finds every object that was forgotten
 * Boot    files=N  for each CPU      their contents may be more than memory, or less
 */
#include "ashlar/bare.h"
#include "ashlar/mm.h"
#include "ashlar/slab.h"
#include "machine.h"

#define BLOCK ((size_t)1 << ASHLAR_PAGE_SHIFT) /* a page */
#define FILE_BLOCKS 8u
#define SHORT_NAME 24u
#define TICK 1000000 /* of the timer, ns or so */

/* A lock that is waited for with interrupts on, so that other CPUs get their answers meanwhile. */
struct lock {
	uint32_t word;
};

struct inode {
	struct lock lock; /* of what follows; set up by the constructor, free when it is free */
	bool is_directory;
	unsigned number;
	struct entry *entries;    /* of a directory */
	void *block[FILE_BLOCKS]; /* of a file; NULL: on disk only */
	struct inode *next_file;  /* of all files, for the shrinker */
	struct inode *previous_file;
};

struct entry {
	struct entry *next;
	struct inode *inode;
	const char *name; /* short_name, or of kmalloc */
	char short_name[SHORT_NAME];
};

static struct kmem_cache *inodes;
static struct kmem_cache *entries;
static struct inode *root;
static struct inode *shared;

static struct {
	struct lock lock;
	struct inode *first;
} files;

static struct {
	unsigned created, removed, read, reread, dropped, wrong, interrupts, failed;
} count;

static void add(unsigned *counter, unsigned n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static void lock(struct lock *l)
{
	while (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE))
		ashlar_host_relax();
}

static bool try_lock(struct lock *l)
{
	return !__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE);
}

static void unlock(struct lock *l)
{
	__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}

/* ---- inodes and names ------------------------------------------------------------------ */

/* Once for each object when its slab is made; inode_free leaves all this as it is here. */
static void inode_construct(void *object)
{
	*(struct inode *)object = (struct inode){ 0 };
}

static struct inode *inode_alloc(bool is_directory)
{
	static unsigned number;
	struct inode *i = kmem_cache_alloc(inodes, GFP_KERNEL);

	if (!i)
		return NULL;
	i->is_directory = is_directory;
	i->number = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
	if (is_directory)
		return i;
	lock(&files.lock);
	i->next_file = files.first;
	if (files.first)
		files.first->previous_file = i;
	files.first = i;
	unlock(&files.lock);
	return i;
}

/* Nobody else knows it but the shrinker, who finds it through the list. */
static void inode_free(struct inode *i)
{
	if (!i->is_directory) {
		lock(&files.lock);
		*(i->previous_file ? &i->previous_file->next_file : &files.first) = i->next_file;
		if (i->next_file)
			i->next_file->previous_file = i->previous_file;
		unlock(&files.lock);
		i->next_file = i->previous_file = NULL;
	}
	for (unsigned b = 0; b < FILE_BLOCKS; b++) {
		if (i->block[b])
			free_pages((unsigned long)i->block[b], 0);
		i->block[b] = NULL;
	}
	kmem_cache_free(inodes, i);
}

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static bool same(const char *a, const char *b)
{
	size_t n = length(a);

	return n == length(b) && memcmp(a, b, n) == 0;
}

static void entry_free(struct entry *e)
{
	if (e->name != e->short_name)
		kfree(e->name);
	kmem_cache_free(entries, e);
}

/* Enter @inode into @directory. All memory is had before the lock is taken. */
static bool link(struct inode *directory, const char *name, struct inode *inode)
{
	size_t bytes = length(name) + 1;
	struct entry *e = kmem_cache_alloc(entries, GFP_KERNEL);
	char *copy = e ? e->short_name : NULL;

	if (bytes > SHORT_NAME)
		copy = kmalloc(bytes, GFP_KERNEL);
	if (!e || !copy) {
		if (e)
			kmem_cache_free(entries, e);
		return false;
	}
	memcpy(copy, name, bytes);
	e->name = copy;
	e->inode = inode;
	lock(&directory->lock);
	e->next = directory->entries;
	directory->entries = e;
	unlock(&directory->lock);
	return true;
}

/* Take the entry of this name (NULL: any) out of the directory; it is the caller's. */
static struct entry *unlink(struct inode *directory, const char *name)
{
	struct entry **at = &directory->entries;
	struct entry *e;

	lock(&directory->lock);
	while (*at && name && !same((*at)->name, name))
		at = &(*at)->next;
	e = *at;
	if (e)
		*at = e->next;
	unlock(&directory->lock);
	return e;
}

static struct inode *create(struct inode *directory, const char *name, bool is_directory)
{
	struct inode *i = inode_alloc(is_directory);

	if (i && link(directory, name, i)) {
		add(&count.created, 1);
		return i;
	}
	if (i)
		inode_free(i);
	add(&count.failed, 1);
	return NULL;
}

/* All that is below a directory goes; the tree is not deep. */
static void remove_all(struct inode *directory)
{
	struct entry *e;

	while ((e = unlink(directory, NULL))) {
		if (e->inode->is_directory)
			remove_all(e->inode);
		inode_free(e->inode);
		entry_free(e);
		add(&count.removed, 1);
	}
}

/* ---- contents ----------------------------------------------------------------------------- */

/* What the disk has in this block: it can always be had again. */
static uint64_t on_disk(const struct inode *i, unsigned block)
{
	return (uint64_t)i->number << 8 | block;
}

/* One word of the block. The page is had without the lock: the shrinker wants it, too. */
static bool read(struct inode *i, unsigned block)
{
	uint64_t *fresh = (void *)__get_free_pages(GFP_KERNEL, 0);
	uint64_t *page;
	bool right;

	if (!fresh)
		return false;
	lock(&i->lock);
	page = i->block[block];
	if (!page) {
		page = fresh;
		fresh = NULL;
		page[0] = page[BLOCK / sizeof(*page) - 1] = on_disk(i, block);
		i->block[block] = page;
		add(&count.reread, 1);
	}
	right = page[0] == on_disk(i, block) && page[BLOCK / sizeof(*page) - 1] == page[0];
	unlock(&i->lock);
	if (fresh)
		free_pages((unsigned long)fresh, 0);
	add(&count.read, 1);
	add(&count.wrong, !right);
	return right;
}

static size_t blocks_count(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return count.reread - count.dropped;
}

/* A worker may hold an inode's lock meanwhile: what is busy is left alone. */
static size_t blocks_scan(struct shrinker *s, gfp_t gfp, size_t most)
{
	size_t dropped = 0;

	(void)s;
	(void)gfp;
	lock(&files.lock);
	for (struct inode *i = files.first; i && dropped < most; i = i->next_file) {
		if (!try_lock(&i->lock))
			continue;
		for (unsigned b = 0; b < FILE_BLOCKS; b++)
			if (i->block[b]) {
				free_pages((unsigned long)i->block[b], 0);
				i->block[b] = NULL;
				dropped++;
			}
		unlock(&i->lock);
	}
	unlock(&files.lock);
	add(&count.dropped, (unsigned)dropped);
	return dropped;
}

static struct shrinker blocks = { .count = blocks_count, .scan = blocks_scan };

/* ---- the workers -------------------------------------------------------------------- */

/* "cpu3-file-17", and for every fourth a name that is too long for an entry. */
static void name_of(char *name, unsigned cpu, unsigned n)
{
	static const char text[] = "cpu0-file-0000-whose-name-is-a-long-one";

	memcpy(name, text, sizeof(text));
	name[3] = (char)('0' + cpu);
	for (unsigned i = 0; i < 4; i++, n /= 10)
		name[13 - i] = (char)('0' + n % 10);
	if (name[13] % 4)
		name[14] = '\0';
}

static void tick(void)
{
	void *p = kmalloc(200, GFP_ATOMIC);

	add(&count.interrupts, 1);
	kfree(p);
}

static unsigned files_each(void)
{
	return (unsigned)setting_number("files", 400);
}

static void work(struct cpu *cpu)
{
	unsigned most = files_each();
	struct inode *own = root;
	char name[48];

	arch_timer(TICK);
	for (unsigned n = 0; n < most; n++) {
		struct inode *file;

		name_of(name, cpu->number, n);
		if (n % 20 == 0)
			own = create(own == root || n % 100 ? root : own, name, true);
		if (!own)
			break;
		file = create(own, name, false);
		for (unsigned b = 0; file && b < FILE_BLOCKS; b++)
			add(&count.failed, !read(file, b));
		create(shared, name, false);
		if (n >= 8) {
			struct entry *e;

			name_of(name, cpu->number, n - 8);
			e = unlink(shared, name);
			if (e) {
				inode_free(e->inode);
				entry_free(e);
				add(&count.removed, 1);
			}
		}
	}
	arch_timer(0);
}

/* ---- the kernel --------------------------------------------------------------------- */

void kernel_interrupted(void)
{
	ashlar_interrupted();
}

static void say(const char *what, uint64_t n)
{
	print("# ");
	print(what);
	print(" ");
	print_number(n);
	print("\n");
}

static unsigned result(bool right, const char *what)
{
	static unsigned number;

	print(right ? "ok " : "not ok ");
	print_number(++number);
	print(" - ");
	print(what);
	print("\n");
	return !right;
}

/* Are pages dropped as they must be where files have @contents pages and memory @pages? A quarter
 * more is for inodes, names, and what CPUs keep: in between both are right. */
static unsigned report_dropped(uint64_t contents, uint64_t pages)
{
	bool fits = contents + contents / 4 <= pages;

	say("pages of memory", pages);
	say("pages of all files", contents);
	if (!fits && contents <= pages)
		return result(true, "dropping pages # SKIP the files are about as large as memory");
	return result(fits == (count.dropped == 0),
		      "pages are dropped when memory runs out, and only then");
}

static unsigned report(uint64_t pages)
{
	unsigned bad =
		result(count.failed == 0 && count.wrong == 0, "every file was made and read");

	say("CPUs", machine.cpus);
	say("created", count.created);
	say("blocks read", count.read);
	say("from disk", count.reread);
	say("dropped by the shrinker", count.dropped);
	say("timer interrupts", count.interrupts);
	ashlar_slabinfo();
	return bad + report_dropped((uint64_t)files_each() * machine.cpus * FILE_BLOCKS, pages);
}

unsigned kernel_run(void)
{
	struct ashlar_boot boot = {
		.direct = KERNEL_DIRECT,
		.window = KERNEL_TABLES,
		.cpus = machine.cpus,
		.nodes = machine.nodes,
		.options = setting("options"),
	};
	uint64_t pages = ashlar_boot_free() / BLOCK; /* all that can be used */
	unsigned bad;

	print("1..3\n");
	if (!ashlar_boot_start(&boot))
		panic("the library does not start");
	cpus_start();
	inodes = kmem_cache_create("inode", sizeof(struct inode), 0, SLAB_RECLAIM_ACCOUNT,
				   inode_construct);
	entries = KMEM_CACHE(entry, SLAB_HWCACHE_ALIGN | SLAB_PANIC);
	ashlar_register_shrinker(&blocks);
	root = inode_alloc(true);
	shared = create(root, "shared", true);
	for (unsigned i = 0; i < machine.cpus; i++)
		machine.cpu[i].timer = tick;
	irqs_on();
	cpus_run(work);
	bad = report(pages);
	remove_all(root);
	inode_free(root);
	ashlar_unregister_shrinker(&blocks);
	kmem_cache_destroy(inodes);
	kmem_cache_destroy(entries);
	return bad + result(count.created == count.removed && ashlar_audit() == 0,
			    "everything came back, and the audit holds");
}
