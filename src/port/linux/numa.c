/* SPDX-License-Identifier: MIT */
/*
 * numa.c - the nodes of a Linux machine
 *
 * What    Which nodes this process may have memory of, how far they are from each other, the
 *         node of a CPU, and a policy for what comes online. The kernel numbers nodes as
 *         it likes; here they are 0 .. nodes-1.
 * Why     The kernel is asked by get_mempolicy, one system call, and only where there can be
 *         several nodes: a machine with less than 32 GiB whose first CPU is on node 0 is
 *         taken to have one (docs/decisions/13). Files are read only if there are several.
 *         The policy is MPOL_PREFERRED: with MPOL_BIND a full node would end the program
 *         while others have memory.
 * State   numa.*, written at start
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/linux/linux.h"
#include "port/port.h"
#include "port_config.h"

#define NUMA_RAM_MIN ((size_t)32 << 30) /* bytes from which on a machine is asked */
#define NUMA_OS_NODES 1024u             /* the largest CONFIG_NODES_SHIFT is 10 */
#define NUMA_LONG_BITS (8 * sizeof(unsigned long))
#define NUMA_NEAR 10u
#define NUMA_FAR 20u

typedef unsigned long numa_mask[NUMA_OS_NODES / NUMA_LONG_BITS];

static struct {
	unsigned count;
	bool refused;                      /* mbind: then it is not tried again */
	unsigned short os[PORT_MAX_NODES]; /* the kernel's numbers, ascending */
	unsigned char distance[PORT_MAX_NODES][PORT_MAX_NODES];
} numa;

/* glibc's reads the CPU and its node without a system call (2.29). */
#if defined(__GLIBC__)
#pragma weak getcpu
#define NUMA_GETCPU getcpu
#else
#define NUMA_GETCPU ((int (*)(unsigned *, unsigned *))NULL)
#endif

static bool numa_getcpu(unsigned *cpu, unsigned *node)
{
	int (*cheap)(unsigned *, unsigned *) = NUMA_GETCPU;

	return (cheap ? cheap(cpu, node) : (int)syscall(SYS_getcpu, cpu, node, NULL)) == 0;
}

static bool numa_has(const unsigned long *mask, unsigned os)
{
	return (mask[os / NUMA_LONG_BITS] >> (os % NUMA_LONG_BITS)) & 1;
}

const char *linux_parse_number(const char *s, unsigned *number)
{
	unsigned n = 0;

	while (*s == ' ' || *s == ',')
		s++;
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (unsigned)(*s - '0');
	*number = n;
	return s;
}

unsigned linux_parse_list(const char *s, unsigned wanted)
{
	unsigned before = 0;
	unsigned first;
	unsigned last;

	while ((s = linux_parse_number(s, &first))) {
		last = first;
		if (*s == '-' && !(s = linux_parse_number(s + 1, &last)))
			break;
		if (wanted < first)
			break;
		if (wanted <= last)
			return before + wanted - first;
		before += last - first + 1;
	}
	return LINUX_NOT_LISTED;
}

static bool numa_read(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, bytes - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* "/sys/devices/system/node/node12/distance"; numbers are below 10,000. */
static void numa_path(char *path, unsigned os)
{
	static const char before[] = "/sys/devices/system/node/node";
	static const char behind[] = "/distance";
	unsigned unit = 1;

	memcpy(path, before, sizeof(before) - 1);
	path += sizeof(before) - 1;
	while (os / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		*path++ = (char)('0' + os / unit % 10);
	memcpy(path, behind, sizeof(behind));
}

/* A row of distances, one number for each node that is online, in order. */
static void numa_read_distances(unsigned from, const char *online)
{
	static char text[4096]; /* at start there is one thread */
	char path[64];
	unsigned column = 0;
	unsigned distance;

	numa_path(path, numa.os[from]);
	if (!numa_read(path, text, sizeof(text)))
		return;
	for (const char *s = text; (s = linux_parse_number(s, &distance)); column++)
		for (unsigned to = 0; to < numa.count; to++)
			if (linux_parse_list(online, numa.os[to]) == column && distance < 256)
				numa.distance[from][to] = (unsigned char)distance;
}

static void numa_measure(void)
{
	static char online[1024];

	for (unsigned from = 0; from < numa.count; from++)
		for (unsigned to = 0; to < numa.count; to++)
			numa.distance[from][to] = from == to ? NUMA_NEAR : NUMA_FAR;
	if (!numa_read("/sys/devices/system/node/online", online, sizeof(online)))
		return;
	for (unsigned from = 0; from < numa.count; from++)
		numa_read_distances(from, online);
}

/* May there be several nodes? */
static bool numa_is_likely(size_t ram_bytes)
{
	int (*cheap)(unsigned *, unsigned *) = NUMA_GETCPU;
	unsigned cpu;
	unsigned node = 0;

	return ram_bytes >= NUMA_RAM_MIN || (cheap && cheap(&cpu, &node) == 0 && node != 0);
}

unsigned linux_numa_init(size_t ram_bytes)
{
	numa_mask allowed = { 0 };

	numa.count = 1;
	if (!numa_is_likely(ram_bytes) || syscall(SYS_get_mempolicy, NULL, allowed, NUMA_OS_NODES,
						  NULL, MPOL_F_MEMS_ALLOWED) != 0)
		return 1;
	numa.count = 0;
	for (unsigned os = 0; os < NUMA_OS_NODES && numa.count < PORT_MAX_NODES; os++)
		if (numa_has(allowed, os))
			numa.os[numa.count++] = (unsigned short)os;
	if (numa.count > 1)
		numa_measure();
	else
		numa.count = 1;
	return numa.count;
}

/* A process does not know where its memory lies. */
size_t port_zone_bytes(unsigned kind)
{
	(void)kind;
	return 0;
}

bool port_bind(void *start, size_t bytes, unsigned node)
{
	numa_mask mask = { 0 };
	int saved = errno;

	if (numa.refused || node >= numa.count)
		return false;
	mask[numa.os[node] / NUMA_LONG_BITS] |= 1ul << (numa.os[node] % NUMA_LONG_BITS);
	if (syscall(SYS_mbind, start, bytes, MPOL_PREFERRED, mask, NUMA_OS_NODES, 0) != 0)
		numa.refused = true;
	errno = saved;
	return !numa.refused;
}

/* Memory becomes a node's when it is bound. */
bool port_node_run(const void *start, size_t *bytes, unsigned *node)
{
	(void)start;
	(void)bytes;
	(void)node;
	return false;
}

unsigned port_node_distance(unsigned from, unsigned to)
{
	return numa.distance[from][to];
}

/* A CPU whose own node we may have no memory of is as near to all: it gets the first. */
unsigned port_cpu_node(unsigned cpu)
{
	unsigned now;
	unsigned os;

	if (!numa_getcpu(&now, &os))
		return 0;
	if (now != cpu)
		return PORT_NODE_UNKNOWN;
	for (unsigned n = 0; n < numa.count; n++)
		if (numa.os[n] == os)
			return n;
	return 0;
}
