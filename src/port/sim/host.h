/* SPDX-License-Identifier: MIT */
/*
 * host.h - what the simulated machine stands on: a process, or a bare machine
 */
#ifndef ASHLAR_PORT_SIM_HOST_H
#define ASHLAR_PORT_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Address space that faults; NULL iff there is none. */
void *sim_host_reserve(size_t bytes);
void sim_host_release(void *start, size_t bytes);

/* Let it be read, or read and written; it holds zeros at first. */
bool sim_host_open(void *start, size_t bytes, bool write);

/* It faults again, and its contents are gone. */
void sim_host_close(void *start, size_t bytes);

/* May the byte at @p be read? */
bool sim_host_is_open(const void *p);

/* Its contents are gone: zeros. */
bool sim_host_clear(void *start, size_t bytes);

/* Memory apart from the above; contents are anything. NULL iff there is none. */
void *sim_host_block(size_t bytes, size_t align);
void sim_host_block_free(void *block);

/* Say why, and end the program. */
_Noreturn void sim_host_die(const char *why);

#endif
