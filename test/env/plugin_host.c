/* SPDX-License-Identifier: MIT */
/* plugin_host.c - loads the plugin that its first argument names */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("%d %s\n", argc, program_invocation_short_name);
	return argc < 2 || !dlopen(argv[1], RTLD_NOW);
}
