/* SPDX-License-Identifier: MIT */
/*
 * boot.c - x86-64: PVH's start info into the boot map, and the direct map
 */
#include "acpi.h"
#include "ashlar/bare.h"
#include "machine.h"
#include "map.h"
#include "x86.h"

#define PVH_MAGIC 0x336ec578u
#define BOOT_MAPPED ((uint64_t)1 << 30) /* what boot.S has mapped */
#define APIC_ID 0xfee00020u
#define BIG_PAGE ((uint64_t)2 << 20)

struct pvh_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp, map;
	uint32_t entries, reserved;
};

struct pvh_module {
	uint64_t start, bytes, command_line, reserved;
};

extern uint64_t boot_root[512];
extern char image_start[];
extern char image_end[];

static void *direct(uint64_t physical)
{
	return (void *)(physical + KERNEL_DIRECT);
}

static size_t text_bytes(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n + 1;
}

/* What lies in memory that the map calls free. */
static void boot_take_known(const struct pvh_info *info, uint64_t at)
{
	const struct pvh_module *modules = direct(info->module_list);

	ashlar_boot_take(0, 0x1000);
	ashlar_boot_take(0x8000, 0x1000); /* where the other CPUs start */
	ashlar_boot_take((uintptr_t)image_start - KERNEL_IMAGE,
			 (uint64_t)(image_end - image_start));
	ashlar_boot_take(at, sizeof(*info));
	ashlar_boot_take(info->map, info->entries * sizeof(struct map_entry));
	ashlar_boot_take(info->module_list, info->modules * sizeof(struct pvh_module));
	for (uint32_t i = 0; i < info->modules; i++)
		ashlar_boot_take(modules[i].start, modules[i].bytes);
	if (info->modules)
		machine.initrd = modules[0].start;
	if (info->command_line)
		ashlar_boot_take(info->command_line, text_bytes(direct(info->command_line)));
}

/* All memory and the first 4 GiB (the APIC's registers) in pages of 2 MiB, up to @end; the tables
 * come from what is mapped already. */
static void boot_map_direct(uint64_t end)
{
	uint64_t *low = direct(vm_address(boot_root[273]));

	for (uint64_t at = BOOT_MAPPED; at < end; at += BIG_PAGE) {
		uint64_t *gib = &low[at >> 30];

		if (!(*gib & VM_PRESENT)) {
			uint64_t table = ashlar_boot_alloc(4096, 4096, BOOT_MAPPED);

			if (table == UINT64_MAX)
				panic("no memory for the direct map");
			memset(direct(table), 0, 4096);
			*gib = vm_make_table(table);
		}
		((uint64_t *)direct(vm_address(*gib)))[at >> 21 & 511] = at | 0x83;
	}
}

_Noreturn void arch_boot(uint64_t at)
{
	const struct pvh_info *info = direct(at);
	uint64_t end;

	vm_root = boot_root;
	machine.cpus = 1;
	machine.nodes = 1;
	machine.cpu[0].self = &machine.cpu[0];
	if (info->magic != PVH_MAGIC || info->version < 1)
		panic("no PVH start info with a memory map");
	if (info->command_line)
		settings_set(direct(info->command_line));
	if (info->map > BOOT_MAPPED ||
	    info->entries > (BOOT_MAPPED - info->map) / sizeof(struct map_entry))
		panic("the memory map is not in the first GiB");
	map_read(direct(info->map), info->entries);
	boot_take_known(info, at);
	end = map_end();
	boot_map_direct(end);
	io_out8(0x21, 0xff);
	io_out8(0xa1, 0xff);
	arch_cpu_init(&machine.cpu[0]);
	acpi_read(direct(0), end, info->rsdp, *(volatile uint32_t *)direct(APIC_ID) >> 24);
	kernel_main();
}
