/* SPDX-License-Identifier: MIT */
/*
 * port.c - a Linux process as the machine
 *
 * What    Address space from mmap, memory mapped over it when it comes online, futexes,
 *         the environment. System calls go through syscall(2) or libc's thin
 *         wrappers; nothing here allocates, and errno is the caller's to save.
 * Why     Reserved space is PROT_NONE and MAP_NORESERVE: it costs nothing until
 *         it comes online, and going offline gives the commit charge back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "port/linux/linux.h"
#include "port/port.h"
#include "port_config.h"

static unsigned machine_cpus;

unsigned linux_machine_cpus(void)
{
	return machine_cpus;
}

/* Where ld.so found argc when the process began; argv and the environment follow it. In a static
 * program it may be the word before, which is 0. */
extern void *__libc_stack_end __attribute__((weak));

char **linux_arguments(void)
{
	const long *argc = &__libc_stack_end ? __libc_stack_end : NULL;

	return argc && *argc > 0 ? (char **)__libc_stack_end + 1 : NULL;
}

const char *linux_getenv(const char *name)
{
	size_t length = strlen(name);
	char **argv = linux_arguments();

	if (!argv)
		return getenv(name);
	for (char **e = argv + ((long *)argv)[-1] + 1; *e; e++)
		if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
			return *e + length + 1;
	return NULL;
}

/* The kernel copies a whole mask of its own size: that size tells its number of CPUs. */
static unsigned port_count_cpus(void)
{
	unsigned long mask[PORT_MAX_CPUS / (8 * sizeof(unsigned long))];
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	if (bytes <= 0 || bytes * 8 > PORT_MAX_CPUS)
		return PORT_MAX_CPUS;
	return (unsigned)bytes * 8;
}

/* Bytes of address space that this process has mapped: the first word of statm, in pages. */
static size_t port_mapped_bytes(void)
{
	char text[32] = "";
	size_t pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return (size_t)16 << 20;
	if (read(fd, text, sizeof(text) - 1) > 0)
		for (const char *c = text; *c >= '0' && *c <= '9'; c++)
			pages = pages * 10 + (size_t)(*c - '0');
	close(fd);
	return pages * getauxval(AT_PAGESZ);
}

bool port_address_space(size_t *limit, size_t *used)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_AS, &now) != 0 || now.rlim_cur == RLIM_INFINITY)
		return false;
	*limit = now.rlim_cur;
	*used = port_mapped_bytes();
	return true;
}

static size_t port_address_bytes(void)
{
	size_t limit;
	size_t used;

	if (!port_address_space(&limit, &used))
		return SIZE_MAX;
	return limit > used ? limit - used : 0;
}

void port_init(struct port_machine *machine)
{
	const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM);
	struct sysinfo info;

	linux_task_init();
	machine_cpus = port_count_cpus();
	machine->cpus = machine_cpus;
	machine->page_bytes = getauxval(AT_PAGESZ);
	machine->address_bytes = port_address_bytes();
	machine->ram_bytes = (size_t)1 << 30;
	if (sysinfo(&info) == 0)
		machine->ram_bytes = (size_t)info.totalram * info.mem_unit;
	machine->nodes = linux_numa_init(machine->ram_bytes);
	machine->random = random ? *random : (uintptr_t)machine;
}

const char *port_options(bool *secure)
{
	*secure = getauxval(AT_SECURE) != 0;
	return linux_getenv(PORT_OPTIONS_NAME);
}

bool port_arena(size_t align, void **start, size_t *bytes)
{
	(void)align;
	(void)start;
	(void)bytes;
	return false;
}

bool port_memory(void **start, size_t *bytes, bool take)
{
	(void)start;
	(void)take;
	return *bytes != 0;
}

void *port_reserve(size_t bytes, size_t align)
{
	char *start = mmap(NULL, bytes + align, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	madvise(start, bytes + align, MADV_DONTDUMP); /* gdb would write it all into a core file */
	return (void *)(((uintptr_t)start + align - 1) & ~(uintptr_t)(align - 1));
}

void port_release(void *start, size_t bytes)
{
	munmap(start, bytes);
}

bool port_map_zeros(void *start, size_t bytes)
{
	return mprotect(start, bytes, PROT_READ) == 0;
}

/*
 * A mapping over the reservation: with mprotect it would stay out of core files. That is the
 * second choice, for a process whose RLIMIT_AS was lowered below what it has reserved: the
 * kernel refuses it every mapping, even in place of another.
 */
bool port_map(void *start, size_t bytes)
{
	if (mmap(start, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
		return true;
	if (mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0)
		return false;
	madvise(start, bytes, MADV_DODUMP);
	return true;
}

void port_unmap(void *start, size_t bytes)
{
	if (mmap(start, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		 -1, 0) == MAP_FAILED) {
		madvise(start, bytes, MADV_DONTNEED);
		mprotect(start, bytes, PROT_NONE);
	}
	madvise(start, bytes, MADV_DONTDUMP);
}

bool port_discard(void *start, size_t bytes)
{
	return madvise(start, bytes, MADV_DONTNEED) == 0;
}

bool port_huge(void *start, size_t bytes, bool on)
{
	return madvise(start, bytes, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0;
}

void *port_mapping_alloc(size_t bytes, size_t align)
{
	size_t page = getauxval(AT_PAGESZ);
	size_t extra = align > page ? align - page : 0;
	char *start;
	char *aligned;

	if (bytes > SIZE_MAX - extra)
		return NULL;
	start = mmap(NULL, bytes + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (start == MAP_FAILED)
		return NULL;
	if (!extra)
		return start;
	aligned = (char *)(((uintptr_t)start + align - 1) & ~(uintptr_t)(align - 1));
	if (aligned > start)
		munmap(start, (size_t)(aligned - start));
	if (aligned < start + extra)
		munmap(aligned + bytes, (size_t)(start + extra - aligned));
	return aligned;
}

void port_mapping_free(void *start, size_t bytes)
{
	munmap(start, bytes);
}

void *port_mapping_resize(void *start, size_t old_bytes, size_t new_bytes)
{
	void *p = mremap(start, old_bytes, new_bytes, MREMAP_MAYMOVE);

	return p == MAP_FAILED ? NULL : p;
}

void port_wait(uint32_t *word, uint32_t value)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
	errno = saved;
}

void port_wake(uint32_t *word)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = saved;
}

/* Every so often a short sleep: the one that is waited for may be of lower priority than this
 * real-time thread, and then it runs only while this one sleeps. */
#define PORT_NAP_EACH 16u
#define PORT_NAP_NS 50000

void port_yield(void)
{
	static const struct timespec nap = { .tv_nsec = PORT_NAP_NS };
	static uint32_t turns, never;
	int saved = errno;

	if (__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED) % PORT_NAP_EACH)
		sched_yield();
	else
		syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, &nap, NULL, 0);
	errno = saved;
}

void port_write(const char *text, size_t bytes)
{
	int saved = errno;

	while (bytes) {
		ssize_t n = write(STDERR_FILENO, text, bytes);

		if (n <= 0 && errno != EINTR)
			break;
		if (n > 0) {
			text += n;
			bytes -= (size_t)n;
		}
	}
	errno = saved;
}

_Noreturn void port_abort(void)
{
	abort();
}
