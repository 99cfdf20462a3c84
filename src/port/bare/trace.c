/* SPDX-License-Identifier: MIT */
/*
 * trace.c - who called: what the kernel says of it, for debugging (bare)
 *
 * What    A kernel knows its threads, its clock and how its code is compiled; it may give functions
 *         for that (ashlar/bare.h). What it does not give is left out of reports.
 */
#include "percpu.h"
#include "port/bare/bare.h"
#include "port/port.h"

void port_trace_start(void)
{
}

uintptr_t port_task_word(void)
{
	return ashlar_host_task ? *ashlar_host_task() : 0;
}

bool port_task_set(uintptr_t word)
{
	if (!ashlar_host_task)
		return false;
	*ashlar_host_task() = word;
	return true;
}

uint32_t port_thread(void)
{
	return ashlar_host_thread ? ashlar_host_thread() : port_cpu() + 1;
}

/* A moment is never 0: that is no moment; nor PORT_NO_CLOCK. */
void port_trace(struct port_trace *trace)
{
	*trace = (struct port_trace){
		.now_ns = ashlar_host_time ? ashlar_host_time() | 2 : PORT_NO_CLOCK,
		.thread = port_thread(),
		.cpu = port_cpu(),
	};
	if (ashlar_host_callers)
		ashlar_host_callers(trace->frames, PORT_TRACE_FRAMES);
}

void port_symbol(const void *address, char *text, size_t bytes)
{
	text[0] = '\0';
	if (ashlar_host_symbol)
		ashlar_host_symbol(address, text, bytes);
}
