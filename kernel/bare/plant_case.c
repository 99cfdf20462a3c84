/* SPDX-License-Identifier: MIT */
/*
 * plant_case.c - errors on purpose: kernel/boot.py must see each as a failure
 *
 * Boot    plant=hang, reset, short, twice, overflow; without it there is nothing to do
 */
#include "bare_test.h"

TEST(plant_an_error_if_asked_for)
{
	const char *plant = setting("plant");
	void *p = kmalloc(100, GFP_KERNEL);

	if (!plant)
		SKIP("no plant= on the boot line");
	if (plant[0] == 'h')
		for (;;)
			ashlar_host_relax();
	if (plant[0] == 'r')
		arch_reset();
	if (plant[0] == 's') {
		print("# ashlar: end of tests, all passed\n");
		arch_exit(33);
	}
	if (plant[0] == 'o')
		((volatile char *)p)[100] = 1;
	kfree(p);
	if (plant[0] == 't')
		kfree(p);
}
