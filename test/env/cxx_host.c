/* SPDX-License-Identifier: MIT */
/* cxx_host.c - a C program, without a C++ library, that opens a C++ plugin */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int has_cxx(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[1024];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "libstdc++") || strstr(line, "libc++");
	if (f)
		fclose(f);
	return found;
}

int main(int argc, char **argv)
{
	void *so;
	int (*test)(void);

	printf("C++ library in a C program: %s\n", has_cxx() ? "yes" : "no");
	so = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!so)
		return 2;
	*(void **)&test = dlsym(so, "plugin_test");
	printf("new throws inside the plugin: %s\n", test() ? "yes" : "no");
	dlclose(so);
	return 0;
}
